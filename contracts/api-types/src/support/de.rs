//! Reading functions for `#[serde(deserialize_with)]`.
//!
//! They make reading accept exactly what the schema accepts, where serde's own rules are
//! wider: `null` for any `Option`, a missing field for any `Option`, and four spellings of a
//! UUID.

use std::{collections::BTreeMap, fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, de};
use uuid::Uuid;

/// A value that may be absent but, if it is there, is not `null`.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A value that must be there, and may be `null`.
pub fn nullable<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer)
}

/// UUIDs in hyphenated form.
pub fn strict<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Strict,
    D: Deserializer<'de>,
{
    T::Wire::deserialize(deserializer).map(T::from_wire)
}

/// UUIDs in hyphenated form that may be absent but are not `null`.
pub fn strict_present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Strict,
    D: Deserializer<'de>,
{
    strict(deserializer).map(Some)
}

/// A text that [`FromStr`] reads.
pub fn text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    struct Visitor<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for Visitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Visitor(PhantomData))
}

/// Reads a UUID of 32 hexadecimal digits in five groups with hyphens, and no other spelling.
///
/// # Errors
///
/// What the text should have been.
pub fn parse_uuid(text: &str) -> Result<Uuid, &'static str> {
    match Uuid::try_parse(text) {
        Ok(uuid) if text.len() == 36 => Ok(uuid),
        _ => Err("not a UUID such as 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a"),
    }
}

/// A type that holds UUIDs, with the type that reads it strictly.
pub trait Strict: Sized {
    /// What stands on the wire.
    type Wire: for<'de> Deserialize<'de>;

    /// The value of what was read.
    fn from_wire(wire: Self::Wire) -> Self;
}

/// A UUID in hyphenated form.
#[derive(Debug)]
pub struct Hyphenated(Uuid);

impl FromStr for Hyphenated {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_uuid(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for Hyphenated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer)
    }
}

impl Strict for Uuid {
    type Wire = Hyphenated;

    fn from_wire(wire: Hyphenated) -> Self {
        wire.0
    }
}

impl<T: Strict> Strict for Option<T> {
    type Wire = Option<T::Wire>;

    fn from_wire(wire: Self::Wire) -> Self {
        wire.map(T::from_wire)
    }
}

impl<T: Strict> Strict for Vec<T> {
    type Wire = Vec<T::Wire>;

    fn from_wire(wire: Self::Wire) -> Self {
        wire.into_iter().map(T::from_wire).collect()
    }
}

impl<T: Strict> Strict for BTreeMap<String, T> {
    type Wire = BTreeMap<String, T::Wire>;

    fn from_wire(wire: Self::Wire) -> Self {
        wire.into_iter()
            .map(|(key, value)| (key, T::from_wire(value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::parse_uuid;

    #[test]
    fn only_the_hyphenated_spelling_is_a_uuid() {
        assert!(parse_uuid("019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a").is_ok());
        assert!(parse_uuid("019A2F3C-7A51-7C40-9A53-1F2E3D4C5B6A").is_ok());
        for text in [
            "019a2f3c7a517c409a531f2e3d4c5b6a",
            "{019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a}",
            "urn:uuid:019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a",
            "019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6",
            "",
        ] {
            assert!(parse_uuid(text).is_err(), "{text}");
        }
    }
}
