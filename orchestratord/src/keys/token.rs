//! A key as its holder has it: `orch_<id>_<secret>`.

use std::fmt;

use orchestrator_core::id::KeyId;

/// What every key begins with.
const PREFIX: &str = "orch_";
/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 16;
/// Bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Hexadecimal digits of a secret from which on a text is taken for a key: a part of one is as bad to show.
const SECRET_DIGITS_TELLING: usize = 16;

/// A whole key. It is written nowhere but to its holder.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    id: KeyId,
    text: String,
}

impl ApiKey {
    /// Draws a new one from the operating system.
    ///
    /// # Errors
    /// If the system gives no chance.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut id = [0; 8];
        while id == [0; 8] {
            // 0 stands for the system user.
            getrandom::fill(&mut id)?;
        }
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret)?;
        Ok(Self::of(KeyId(u64::from_be_bytes(id)), secret))
    }

    fn of(id: KeyId, secret: [u8; SECRET_BYTES]) -> Self {
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            id,
            text: format!("{PREFIX}{id}_{secret}"),
        }
    }

    /// The key that a text is; none if it is no key by its form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let whole = digits(id) == ID_DIGITS && id.len() == ID_DIGITS;
        let whole = whole && digits(secret) == secret.len() && secret.len() == 2 * SECRET_BYTES;
        let id = u64::from_str_radix(id, 16).ok().filter(|_| whole)?;
        Some(Self {
            id: KeyId(id),
            text: text.to_owned(),
        })
    }

    /// Its id, which may be shown.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// All of it, for its holder and for the code that it is checked by.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, ..)", self.id)
    }
}

/// True if a text of a URL or a header holds what looks like a key, also with its characters escaped.
#[must_use]
pub fn hides_a_key(text: &str) -> bool {
    holds_a_key(text) || (text.contains('%') && holds_a_key(&unescaped(text)))
}

fn holds_a_key(text: &str) -> bool {
    text.match_indices(PREFIX).any(|(at, _)| {
        let rest = &text[at + PREFIX.len()..];
        digits(rest) == ID_DIGITS
            && rest[ID_DIGITS..]
                .strip_prefix('_')
                .is_some_and(|secret| digits(secret) >= SECRET_DIGITS_TELLING)
    })
}

/// Number of small hexadecimal digits that a text begins with.
fn digits(text: &str) -> usize {
    text.bytes()
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        .count()
}

/// The text with its escapes resolved; what is no ASCII becomes something that no key has.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        at += if escaped.is_some() { 3 } else { 1 };
        let byte = escaped.unwrap_or(*byte);
        plain.push(if byte.is_ascii() {
            char::from(byte)
        } else {
            '?'
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn key() -> ApiKey {
        ApiKey::of(KeyId(0x5f0c), [0xab; SECRET_BYTES])
    }

    #[test]
    fn a_key_is_read_as_it_was_written_and_shows_its_id_only() {
        let text = key().reveal().to_owned();
        assert_eq!(text.len(), 5 + 16 + 1 + 64);
        assert_eq!(ApiKey::parse(&text), Some(key()));
        assert_eq!(format!("{:?}", key()), "ApiKey(0000000000005f0c, ..)");
        let drawn = [ApiKey::draw().unwrap(), ApiKey::draw().unwrap()];
        assert_ne!(drawn[0], drawn[1]);
        assert_eq!(ApiKey::parse(drawn[0].reveal()).as_ref(), Some(&drawn[0]));
    }

    #[test]
    fn what_is_not_whole_is_no_key() {
        let text = key().reveal().to_owned();
        let faulty = [
            String::new(),
            text[..text.len() - 1].to_owned(),
            format!("{text}0"),
            text.replace("orch_", "Orch_"),
            text.replace("ab", "AB"),
            text.replacen('0', "g", 1),
            text.replacen("0000000000005f0c", "5f0c", 1),
            text.replace("0000000000005f0c", "+000000000005f0c"),
        ];
        for text in faulty {
            assert_eq!(ApiKey::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_found_wherever_it_stands_and_however_it_is_escaped() {
        let text = key().reveal().to_owned();
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for hiding in [
            text.clone(),
            format!("/v1/tasks/{text}"),
            format!("/v1/tasks?a=b&key={text}&c=d"),
            format!("/v1/tasks?key={}", text.replace('_', "%5F")),
            format!("/v1/%zz?key={}", text.replace('_', "%5f")),
            escaped,
            text[..text.len() - 20].to_owned(),
        ] {
            assert!(hides_a_key(&hiding), "{hiding}");
        }
        for plain in [
            "",
            "/v1/tasks/019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a",
            "orch_",
            "/orch_5f0c9a3be1d27448_",
            "orch_5f0c9a3be1d27448",
            "%",
            "%5",
            "ä%ff",
        ] {
            assert!(!hides_a_key(plain), "{plain}");
        }
    }
}
