//! How many tokens a prompt may have, before any tokenizer has seen it.

/// Bytes a token of ordinary text has on average, rounded down: English prose under the byte-pair
/// vocabularies in use has 4 to 5.
const BYTES_PER_TOKEN: u64 = 4;

/// Bytes that no token exceeds. Vocabularies in use hold tokens of at most 128 bytes (runs of spaces or of
/// one punctuation mark in the vocabularies of 100,000 entries and more); twice that is safe ground for a
/// refusal, which must never hit a prompt that would have fitted.
const BYTES_PER_TOKEN_MOST: u64 = 256;

/// What is known of a prompt's length in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptSize {
    /// Best guess, at least 1.
    pub tokens_estimate: u64,
    /// Lower bound that no tokenizer in use undercuts, at least 1.
    pub tokens_least: u64,
}

/// Estimates a prompt's tokens from its size in bytes and its number of characters (Unicode scalar values).
///
/// The estimate is a token for 4 bytes, rounded up, and not more than one for each character: scripts of
/// three bytes a character (Han, Kana) come to about one token for each. The lower bound is a token for 256
/// bytes.
#[must_use]
pub fn prompt_size(bytes: u64, chars: u64) -> PromptSize {
    let by_bytes = bytes.div_ceil(BYTES_PER_TOKEN);
    PromptSize {
        tokens_estimate: by_bytes.min(chars).max(1),
        tokens_least: bytes.div_ceil(BYTES_PER_TOKEN_MOST).max(1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ordinary_sentence() {
        let text = "Write a haiku about rain.";
        let size = prompt_size(text.len() as u64, text.chars().count() as u64);
        assert_eq!(
            size,
            PromptSize {
                tokens_estimate: 7,
                tokens_least: 1
            }
        );
    }

    proptest! {
        #[test]
        fn the_bound_is_below_the_guess_for_any_text(text in "\\PC{0,4096}") {
            let size = prompt_size(text.len() as u64, text.chars().count() as u64);
            prop_assert!(1 <= size.tokens_least);
            prop_assert!(size.tokens_least <= size.tokens_estimate);
        }
    }
}
