//! From a whole text to tokens, and from tokens to a whole text.

use super::vocabulary::Scheme;
use super::{Vocabulary, special};

/// One token's number: its row in the vocabulary.
pub(crate) type TokenId = u32;

/// What a text stands for when it is turned into tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding {
    /// Put the vocabulary's begin and end tokens around the text, as far as it asks for them.
    pub(crate) add_special: bool,
    /// Read the names of control tokens (`<s>`, `</s>`, …) in the text as those tokens.
    pub(crate) parse_special: bool,
}

impl Encoding {
    /// A prompt: complete, and with control tokens that a chat template may have written into it.
    pub(crate) const PROMPT: Self = Self {
        add_special: true,
        parse_special: true,
    };
}

impl Vocabulary {
    /// The tokens of `text`.
    pub(crate) fn encode(&self, text: &str, encoding: Encoding) -> Vec<TokenId> {
        let mut tokens = Vec::new();
        let mut after_special = true;
        if encoding.add_special {
            tokens.extend(self.added_bos());
        }
        for fragment in special::split(self, text, encoding.parse_special) {
            match fragment {
                special::Fragment::Token(token) => {
                    tokens.push(token);
                    after_special = true;
                }
                special::Fragment::Text(text) => {
                    match self.scheme() {
                        Scheme::SentencePiece(pieces) => {
                            pieces.encode(self, text, after_special, &mut tokens);
                        }
                        Scheme::BytePairs(pairs) => pairs.encode(self, text, &mut tokens),
                    }
                    after_special = false;
                }
            }
        }
        if encoding.add_special {
            tokens.extend(self.added_eos());
        }
        tokens
    }

    /// The first of `tokens` that is none of this vocabulary's, as the error.
    pub(crate) fn check(&self, tokens: &[TokenId]) -> Result<(), TokenId> {
        match tokens.iter().find(|&&token| token as usize >= self.len()) {
            Some(&unknown) => Err(unknown),
            None => Ok(()),
        }
    }

    /// The text of `tokens`, control tokens written out by name.
    pub(crate) fn decode_with_special(&self, tokens: &[TokenId]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .flat_map(|&token| self.piece(token, true).into_owned())
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
