//! Names of classes on the command line.

/// Most bytes of a name.
const NAME_MAX: usize = 23;

/// Reads what may be the name of a class. Whether there is one, the daemon knows.
///
/// # Errors
///
/// How such a name is written, and where those that there are can be seen.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && text.len() <= NAME_MAX && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "a class has a name of up to {NAME_MAX} small letters, digits and dashes, a letter first; `orch status` lists those that there are"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_as_it_is_and_what_is_none_is_not() {
        for text in ["a", "batch", "tier-2", "b2345678901234567890123"] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
        for text in ["", "Batch", "2nd", "-a", "a_b", "b23456789012345678901234"] {
            assert!(name(text).is_err(), "{text}");
        }
    }
}
