//! Where a reader stands.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// Position in a text and the hash of the text up to there: `<tokens>-<16 hex digits>`.
///
/// The hash is the first 8 bytes of the SHA-256 of the text, so it is the same in every process. After the
/// end of a task it is that of the text and one byte more, so that a reader who has every token but not the
/// end is told apart from one who has the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamId {
    /// Tokens that the reader has.
    pub position: u64,
    /// Hash of their text.
    pub hash: u64,
}

/// Stands for the end after a text. No text has this byte, because it is never part of UTF-8.
const END_MARK: [u8; 1] = [0xff];

/// The text is not a stream id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAStreamId;

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.position, self.hash)
    }
}

impl FromStr for StreamId {
    type Err = NotAStreamId;

    fn from_str(text: &str) -> Result<Self, NotAStreamId> {
        let (position, hash) = text.split_once('-').ok_or(NotAStreamId)?;
        if position.is_empty()
            || !position.bytes().all(|byte| byte.is_ascii_digit())
            || hash.len() != 16
        {
            return Err(NotAStreamId);
        }
        if !hash
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            return Err(NotAStreamId);
        }
        Ok(Self {
            position: position.parse().map_err(|_| NotAStreamId)?,
            hash: u64::from_str_radix(hash, 16).map_err(|_| NotAStreamId)?,
        })
    }
}

/// The hash of a growing text.
#[derive(Clone, Debug, Default)]
pub(super) struct PrefixHash(Sha256);

impl PrefixHash {
    /// Adds text and tells the hash of all of it so far.
    pub(super) fn push(&mut self, text: &str) -> u64 {
        self.0.update(text.as_bytes());
        self.value()
    }

    /// The hash of all text so far.
    pub(super) fn value(&self) -> u64 {
        first_bytes(self.0.clone())
    }

    /// The hash of all text and the end after it.
    pub(super) fn ended(&self) -> u64 {
        first_bytes(self.0.clone().chain_update(END_MARK))
    }
}

fn first_bytes(hash: Sha256) -> u64 {
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(8)
        .fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        let id = StreamId {
            position: 17,
            hash: PrefixHash::default().push("old pond"),
        };
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn the_hash_depends_on_the_text_and_not_on_its_pieces() {
        let mut pieces = PrefixHash::default();
        pieces.push("old ");
        assert_eq!(pieces.push("pond"), PrefixHash::default().push("old pond"));
        assert_ne!(pieces.value(), PrefixHash::default().push("new pond"));
    }

    #[test]
    fn the_end_is_another_place_than_the_last_token() {
        let mut text = PrefixHash::default();
        for piece in ["", "old", " pond"] {
            let place = text.push(piece);
            assert_ne!(text.ended(), place);
        }
        assert_ne!(text.ended(), PrefixHash::default().ended());
    }

    #[test]
    fn garbage_is_no_id() {
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-0000000000000000",
            "+1-0000000000000000",
            "1-000000000000000G",
            "1-00",
            "x-0",
        ] {
            assert_eq!(text.parse::<StreamId>(), Err(NotAStreamId), "{text}");
        }
        assert_eq!(
            "99999999999999999999-0000000000000000".parse::<StreamId>(),
            Err(NotAStreamId)
        );
    }
}
