//! The key that a client calls with.

use std::fmt;

use reqwest::header::HeaderValue;

/// A key, `orch_<id>_<secret>`. It is shown in no message.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a text as a key; `None` if it cannot be one by its form.
    pub fn new(text: &str) -> Option<Self> {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let parts = text.strip_prefix("orch_")?.split('_').count();
        (plain && parts == 2).then(|| Self(text.to_owned()))
    }

    /// The value of the header `Authorization`, marked so that nothing prints it.
    pub(crate) fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))
            .expect("letters, digits and underscores are fit for a header");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_a_key_is_taken_and_nothing_prints_it() {
        let key = ApiKey::new("orch_5f0c_cafe").expect("a key by its form");
        assert_eq!(key.header(), "Bearer orch_5f0c_cafe");
        assert!(!format!("{key:?} {:?}", key.header()).contains("cafe"));
        for text in [
            "",
            "orch_5f0c",
            "orch_a_b_c",
            "key_a_b",
            "orch_a_b\n",
            "orch_a_ü",
        ] {
            assert_eq!(ApiKey::new(text), None, "{text:?}");
        }
    }
}
