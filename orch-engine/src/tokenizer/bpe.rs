//! Byte-pair encoding: words in the byte alphabet, merged in the order in which the training found
//! the merges.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::split::Splitter;
use super::{TokenId, Vocabulary, alphabet, merging};
use crate::gguf::{Fault, Metadata};

/// What a byte-pair tokenizer knows besides the texts of its tokens.
pub(super) struct BytePairs {
    splitter: Splitter,
    /// The two sides of each merge, with a blank between (which the alphabet does not have), and its
    /// place in the file.
    ranks: HashMap<String, u32>,
    characters: Vec<char>,
}

impl BytePairs {
    pub(super) fn read(metadata: Metadata<'_>) -> Result<Self, Fault> {
        let pre = metadata.optional_text("tokenizer.ggml.pre")?;
        let merges = metadata.list("tokenizer.ggml.merges", "an array of strings", |value| {
            value.to_string().ok()
        })?;
        let mut ranks = HashMap::with_capacity(merges.len());
        for (merge, rank) in merges.into_iter().zip(0..) {
            // Of a merge that is there twice the first counts.
            ranks.entry(merge.clone()).or_insert(rank);
        }
        Ok(Self {
            splitter: Splitter::named(pre.unwrap_or("default"))?,
            ranks,
            characters: alphabet::table(),
        })
    }

    /// Whether a prompt begins with the begin token where the file does not say.
    pub(super) fn adds_bos(&self) -> bool {
        self.splitter.adds_bos
    }

    /// Appends the tokens of `text` to `tokens`.
    pub(super) fn encode(&self, vocabulary: &Vocabulary, text: &str, tokens: &mut Vec<TokenId>) {
        let mut pair = String::new();
        for word in self.splitter.split(text) {
            let word: String = word
                .bytes()
                .map(|byte| self.characters[usize::from(byte)])
                .collect();
            if self.splitter.whole_words
                && let Some(token) = vocabulary.lookup(&word)
            {
                tokens.push(token);
                continue;
            }
            let rank = |left: &str, right: &str| {
                pair.clear();
                pair.extend([left, " ", right]);
                self.ranks.get(&pair).copied().map(Reverse)
            };
            merging::merge(&word, rank, |symbol| match vocabulary.lookup(symbol) {
                Some(token) => tokens.push(token),
                // A merge whose result is no token; a byte without one is left out.
                None => {
                    tokens.extend(symbol.chars().filter_map(|character| {
                        vocabulary.lookup(character.encode_utf8(&mut [0; 4]))
                    }))
                }
            });
        }
    }
}
