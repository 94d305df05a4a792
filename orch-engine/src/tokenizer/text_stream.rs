//! Text out of tokens, piece by piece, without ever showing half a character.

/// Turns a run of byte pieces into text. Bytes that begin a character are held back until the
/// character is complete; bytes that can belong to none become U+FFFD.
#[derive(Debug, Default)]
pub(crate) struct TextStream {
    held: Vec<u8>,
}

impl TextStream {
    /// Takes the next piece and gives the text that is complete by now.
    pub(crate) fn push(&mut self, piece: &[u8]) -> String {
        self.held.extend_from_slice(piece);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.held) {
                Ok(valid) => {
                    text.push_str(valid);
                    self.held.clear();
                    return text;
                }
                Err(error) => {
                    let valid = error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.held[..valid]));
                    let Some(broken) = error.error_len() else {
                        self.held.drain(..valid);
                        return text;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    self.held.drain(..valid + broken);
                }
            }
        }
    }

    /// Whether bytes are held back.
    pub(crate) fn is_incomplete(&self) -> bool {
        !self.held.is_empty()
    }

    /// What is left when no more will come: one U+FFFD for a character that was never completed.
    pub(crate) fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.held).into_owned();
        self.held.clear();
        text
    }
}
