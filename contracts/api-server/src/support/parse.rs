//! From the text of a parameter to its value.

use std::{fmt::Display, str::FromStr};

use api_types::support::{Fault, check, de};
use uuid::Uuid;

/// Any text.
pub fn text(text: &str) -> Result<String, Fault> {
    Ok(text.to_owned())
}

/// A UUID in hyphenated form.
pub fn uuid(text: &str) -> Result<Uuid, Fault> {
    de::parse_uuid(text).map_err(Fault::new)
}

/// `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Fault> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Fault::new("must be true or false")),
    }
}

/// An integer within bounds, both included.
pub fn integer<T: TryFrom<i128>>(text: &str, min: i128, max: i128) -> Result<T, Fault> {
    let not_one = || Fault::new("is not an integer");
    if text.starts_with('+') {
        return Err(not_one());
    }
    let value: i128 = text.parse().map_err(|_| not_one())?;
    check::integer(value, min, max)?;
    T::try_from(value).map_err(|_| not_one())
}

/// A finite number.
pub fn number(text: &str) -> Result<f64, Fault> {
    text.parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .ok_or_else(|| Fault::new("is not a number"))
}

/// A value of an enumeration.
pub fn listed<T: FromStr<Err: Display>>(text: &str) -> Result<T, Fault> {
    text.parse()
        .map_err(|error: T::Err| Fault::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_canonical_and_bounded() {
        assert_eq!(integer::<u32>("7", 1, 9).ok(), Some(7));
        for text in [
            "+7",
            "7.0",
            "",
            " 7",
            "0x7",
            "10",
            "0",
            "-1",
            "99999999999999999999",
        ] {
            assert!(integer::<u32>(text, 1, 9).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(number("0.5").ok(), Some(0.5));
        for text in ["NaN", "inf", "1e999", "x", ""] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
