//! From a whole text to tokens, and from tokens to a whole text.

use super::{Vocabulary, special, spm};

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
    /// The tokens of `text`. A text that begins with the begin token is not given a second one.
    pub(crate) fn encode(&self, text: &str, encoding: Encoding) -> Vec<TokenId> {
        let mut tokens = Vec::new();
        let mut after_special = true;
        let fragments = special::split(self, text, encoding.parse_special);
        if encoding.add_special
            && let Some(bos) = self.added_bos()
            && fragments.first() != Some(&special::Fragment::Token(bos))
        {
            tokens.push(bos);
        }
        for fragment in fragments {
            match fragment {
                special::Fragment::Token(token) => {
                    tokens.push(token);
                    after_special = true;
                }
                special::Fragment::Text(text) => {
                    spm::encode(
                        self,
                        text,
                        after_special && self.adds_space_prefix(),
                        &mut tokens,
                    );
                    after_special = false;
                }
            }
        }
        if encoding.add_special
            && let Some(eos) = self.added_eos()
        {
            tokens.push(eos);
        }
        tokens
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
