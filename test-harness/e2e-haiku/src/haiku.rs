//! The haiku protocol: a prompt that holds the current minute and a random word, and what its answer must hold.
//!
//! Nobody can have written the answer down, so whatever passes was made by a model, now.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// Characters of a nonce.
pub const NONCE_CHARS: usize = 8;

/// Lines that the poem must have.
pub const LINES_LEAST: usize = 3;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 6] = ["", "", "twenty", "thirty", "forty", "fifty"];

/// What one poem is to be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// The minute, in words.
    pub minute_words: String,
    /// The random word.
    pub nonce: String,
}

impl Theme {
    /// The minute that it is, and a fresh nonce.
    #[must_use]
    pub fn of_this_minute() -> Self {
        Self {
            minute_words: minute_words(minute_now()),
            nonce: nonce(Uuid::new_v4(), Uuid::new_v4()),
        }
    }

    /// True while it is still the minute of this theme.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.minute_words == minute_words(minute_now())
    }

    /// What the model is asked.
    #[must_use]
    pub fn prompt(&self) -> String {
        format!(
            "Write a haiku (3 lines). Include this exact English minute phrase: \"{}\". \
             Also include this nonce verbatim: \"{}\". Output only the poem.",
            self.minute_words, self.nonce
        )
    }

    /// Looks at an answer.
    #[must_use]
    pub fn examine(&self, text: &str) -> Verdict {
        Verdict {
            lines: text.lines().filter(|line| !line.trim().is_empty()).count(),
            has_minute: text.contains(&self.minute_words),
            has_nonce: text.contains(&self.nonce),
        }
    }
}

/// What an answer holds of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Lines that are not empty.
    pub lines: usize,
    /// The minute is there, word for word.
    pub has_minute: bool,
    /// The nonce is there, character for character.
    pub has_nonce: bool,
}

impl Verdict {
    /// True if it holds everything.
    #[must_use]
    pub fn accepted(self) -> bool {
        self.lines >= LINES_LEAST && self.has_minute && self.has_nonce
    }
}

/// The minute of the hour. It is Amsterdam's, as the protocol asks, and that of every zone whose distance to
/// UTC is whole hours.
fn minute_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() / 60 % 60)
}

/// A minute in English, from "zero" to "fifty-nine".
fn minute_words(minute: u64) -> String {
    let minute = usize::try_from(minute % 60).unwrap_or_default();
    match (minute / 10, minute % 10) {
        (0 | 1, _) => SMALL[minute].to_owned(),
        (tens, 0) => TENS[tens].to_owned(),
        (tens, ones) => format!("{}-{}", TENS[tens], SMALL[ones]),
    }
}

/// Characters drawn without repetition: a model that copies one by one can lose its place where they repeat,
/// and what is asked here is that it copies, not that it counts.
fn nonce(one: Uuid, other: Uuid) -> String {
    let mut left = ALPHABET.to_vec();
    let chance = one
        .as_u128()
        .rotate_left(64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ other.as_u128();
    let mut chance = chance;
    let mut text = String::new();
    for _ in 0..NONCE_CHARS {
        let many = left.len() as u128;
        let at = usize::try_from(chance % many).unwrap_or_default();
        chance /= many;
        text.push(char::from(left.swap_remove(at)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_said_in_english() {
        let said: Vec<String> = [0, 9, 10, 19, 20, 21, 40, 59]
            .into_iter()
            .map(minute_words)
            .collect();
        let expected = [
            "zero",
            "nine",
            "ten",
            "nineteen",
            "twenty",
            "twenty-one",
            "forty",
            "fifty-nine",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn no_two_nonces_are_alike_and_no_character_repeats() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            let nonce = Theme::of_this_minute().nonce;
            let letters: std::collections::BTreeSet<char> = nonce.chars().collect();
            assert_eq!((nonce.len(), letters.len()), (NONCE_CHARS, NONCE_CHARS));
            assert!(seen.insert(nonce));
        }
    }

    #[test]
    fn an_answer_must_hold_everything() {
        let theme = Theme {
            minute_words: "forty-two".to_owned(),
            nonce: "aB3dE6gH".to_owned(),
        };
        let whole = "a forty-two\n\nb\nc aB3dE6gH\n";
        assert!(theme.examine(whole).accepted());
        for less in [
            whole.replace("\n\nb", ""),
            whole.replace("-two", ""),
            whole.replace('H', "h"),
        ] {
            assert!(!theme.examine(&less).accepted(), "{less}");
        }
    }
}
