//! SentencePiece: blanks are written as a character of their own, and neighbours are merged as long as
//! the joint text is a token, the one with the best score first.

use std::cmp::Ordering;

use super::{Kind, TokenId, Vocabulary, merging};
use crate::gguf::{Fault, Metadata};

/// How SentencePiece writes a blank.
pub(super) const BLANK: &str = "\u{2581}";

/// What a SentencePiece tokenizer knows besides the texts of its tokens.
pub(super) struct SentencePiece {
    scores: Vec<f32>,
    /// The token of each byte that no other token covers.
    byte_tokens: Vec<TokenId>,
    adds_space_prefix: bool,
}

/// A finite score, so that the order is total.
#[derive(Clone, Copy)]
struct Score(f32);

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}

impl SentencePiece {
    pub(super) fn read(
        metadata: Metadata<'_>,
        kinds: &[Kind],
        unknown: TokenId,
    ) -> Result<Self, Fault> {
        let scores = metadata.list("tokenizer.ggml.scores", "an array of f32", |value| {
            // Adding zero turns -0.0 into 0.0, so that equal ranks compare as equal.
            value
                .to_f32()
                .ok()
                .filter(|s| s.is_finite())
                .map(|s| s + 0.0)
        })?;
        if scores.len() != kinds.len() {
            return Err(Fault::Damaged(format!(
                "{} tokens with {} scores",
                kinds.len(),
                scores.len()
            )));
        }
        let prefix = metadata.optional_bool("tokenizer.ggml.add_space_prefix")?;
        Ok(Self {
            scores,
            byte_tokens: byte_tokens(kinds, unknown),
            adds_space_prefix: prefix.unwrap_or(true),
        })
    }

    /// Appends the tokens of `text` to `tokens`. A text that begins or follows a special token gets a
    /// blank in front, if the vocabulary was trained so.
    pub(super) fn encode(
        &self,
        vocabulary: &Vocabulary,
        text: &str,
        after_special: bool,
        tokens: &mut Vec<TokenId>,
    ) {
        let mut escaped = String::with_capacity(text.len() + BLANK.len());
        if after_special && self.adds_space_prefix {
            escaped.push_str(BLANK);
        }
        escaped.push_str(&text.replace(' ', BLANK));
        let mut joint = String::new();
        let rank = |left: &str, right: &str| {
            joint.clear();
            joint.extend([left, right]);
            let token = vocabulary.lookup(&joint)?;
            Some(Score(self.scores[token as usize]))
        };
        merging::merge(&escaped, rank, |symbol| match vocabulary.lookup(symbol) {
            Some(token) => tokens.push(token),
            // Only a single character can be unknown: whatever was merged is a token.
            None => tokens.extend(
                symbol
                    .bytes()
                    .map(|byte| self.byte_tokens[usize::from(byte)]),
            ),
        });
    }
}

fn byte_tokens(kinds: &[Kind], unknown: TokenId) -> Vec<TokenId> {
    let mut tokens = vec![unknown; 256];
    for (kind, id) in kinds.iter().zip(0..) {
        if let Kind::Byte(byte) = kind {
            tokens[usize::from(*byte)] = id;
        }
    }
    tokens
}
