//! The alphabet in which byte-level vocabularies write bytes: a printable character for each.
//!
//! Bytes that are printable in Latin-1 stand for themselves; the others, in order, are the characters
//! from U+0100 on.

/// The character that stands for a byte.
pub(super) fn character(byte: u8) -> char {
    if is_itself(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&other| !is_itself(other)).count() as u32;
    char::from_u32(0x100 + before).expect("at most 256 characters from U+0100 on")
}

/// The byte that a character stands for. `None` if it is not of the alphabet.
pub(super) fn byte(character: char) -> Option<u8> {
    match u8::try_from(u32::from(character)) {
        Ok(byte) => is_itself(byte).then_some(byte),
        Err(_) => {
            let nth = u32::from(character).checked_sub(0x100)? as usize;
            (0..=u8::MAX).filter(|&other| !is_itself(other)).nth(nth)
        }
    }
}

fn is_itself(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

/// All characters, by byte: to look one up is cheaper than to compute it.
pub(super) fn table() -> Vec<char> {
    (0..=u8::MAX).map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::{byte, character};

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        for value in 0..=u8::MAX {
            assert_eq!(byte(character(value)), Some(value));
        }
    }

    #[test]
    fn the_alphabet_is_gpt_2s() {
        let some = [0, 10, 32, 33, 126, 127, 160, 173, 255].map(character);
        assert_eq!(some, ['Ā', 'Ċ', 'Ġ', '!', '~', 'ġ', 'ł', 'Ń', 'ÿ']);
        assert_eq!(byte(' '), None);
        assert_eq!(byte('\u{144}'), None);
    }
}
