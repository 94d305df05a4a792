//! Where a reader stands in a text, recomputed from what the contract promises.
//!
//! The product has its own code for this. It is written a second time here so that a fault in one does not
//! hide in both.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// An event's id: `<tokens so far>-<16 hex digits of the hash of their text>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Tokens up to and with this event.
    pub position: u64,
    /// First 8 bytes of the SHA-256 of their text; after the end, of the text and one byte 0xff.
    pub hash: u64,
}

/// The text is no event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no id of a stream event")]
pub struct NotAPlace;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.position, self.hash)
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (position, hash) = text.split_once('-').ok_or(NotAPlace)?;
        let place = Self {
            position: position.parse().map_err(|_| NotAPlace)?,
            hash: u64::from_str_radix(hash, 16).map_err(|_| NotAPlace)?,
        };
        // One place has one id: whatever reads back as another text was not one.
        if place.to_string() == text {
            Ok(place)
        } else {
            Err(NotAPlace)
        }
    }
}

/// The hash of a text that grows.
#[derive(Clone, Debug, Default)]
pub struct PrefixHash(Sha256);

impl PrefixHash {
    /// That of a whole text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut hash = Self::default();
        hash.push(text);
        hash
    }

    /// Adds text.
    pub fn push(&mut self, text: &str) {
        self.0.update(text.as_bytes());
    }

    /// The hash of the text so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        first_bytes(self.0.clone())
    }

    /// The hash of the text so far and the end after it.
    #[must_use]
    pub fn ended(&self) -> u64 {
        first_bytes(self.0.clone().chain_update([0xff]))
    }
}

fn first_bytes(hash: Sha256) -> u64 {
    let bytes = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        let place = Place {
            position: 3,
            hash: PrefixHash::of("old pond").value(),
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in [
            "",
            "3",
            "3-",
            "03-00000000000000aa",
            "3-AA",
            "+3-00000000000000aa",
        ] {
            assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_contract() {
        // SHA-256 of nothing, and of the one byte 0xff, begin so.
        assert_eq!(PrefixHash::default().value(), 0xe3b0_c442_98fc_1c14);
        assert_eq!(PrefixHash::default().ended(), 0xa810_0ae6_aa19_40d0);
        let mut pieces = PrefixHash::of("old ");
        pieces.push("pond");
        assert_eq!(pieces.value(), PrefixHash::of("old pond").value());
        assert_ne!(pieces.value(), pieces.ended());
    }
}
