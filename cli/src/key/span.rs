//! Lengths of time on the command line.

/// Reads a length such as `90s`, `15m`, `12h` or `30d`, in milliseconds; `0` needs no unit.
pub(super) fn read(text: &str) -> Result<u64, String> {
    let wanted = || "give a number with s, m, h or d behind it, such as 12h or 30d".to_owned();
    if text == "0" {
        return Ok(0);
    }
    let unit_ms: u64 = match text.bytes().last() {
        Some(b's') => 1_000,
        Some(b'm') => 60_000,
        Some(b'h') => 3_600_000,
        Some(b'd') => 86_400_000,
        _ => return Err(wanted()),
    };
    let number = &text[..text.len() - 1];
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u64> = number.parse().ok().filter(|_| digits);
    number
        .and_then(|number| number.checked_mul(unit_ms))
        .ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_a_number_and_a_unit() {
        for (text, ms) in [
            ("0", 0),
            ("90s", 90_000),
            ("15m", 900_000),
            ("12h", 43_200_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(read(text), Ok(ms), "{text}");
        }
        for text in [
            "",
            "5",
            "h",
            "-1h",
            "+1h",
            "1.5h",
            "1w",
            "1 h",
            "99999999999999999d",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
