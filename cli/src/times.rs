//! Times on the command line.

use std::time::SystemTime;

/// Reads a length of time such as `90s`, `12h` or `1h 30m`, in milliseconds; `0` needs no unit.
///
/// # Errors
///
/// What is wrong with it, and how to write it.
pub(crate) fn length(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    let length = humantime::parse_duration(text).map_err(|error| {
        format!("{error}; write a number with its unit, such as `90s`, `15m`, `12h` or `30d`")
    })?;
    u64::try_from(length.as_millis()).map_err(|_| too_long())
}

/// Reads a moment such as `2030-01-31T08:00:00Z`, in milliseconds since 1970.
///
/// # Errors
///
/// What is wrong with it, and how to write it.
pub(crate) fn moment(text: &str) -> Result<u64, String> {
    let moment = humantime::parse_rfc3339_weak(text).map_err(|error| {
        format!("{error}; write date and time in UTC, such as `2030-01-31T08:00:00Z`")
    })?;
    let since = moment
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| "that is before 1970".to_owned())?;
    u64::try_from(since.as_millis()).map_err(|_| too_long())
}

fn too_long() -> String {
    "that is longer than any clock runs".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_numbers_and_units() {
        for (text, ms) in [
            ("0", 0),
            ("250ms", 250),
            ("90s", 90_000),
            ("15m", 900_000),
            ("1h 30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(length(text), Ok(ms), "{text}");
        }
        for text in ["", "5", "h", "-1h", "99999999999999999d"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_date_and_a_time_after_1970() {
        assert_eq!(moment("1970-01-01T00:00:01Z"), Ok(1_000));
        for text in [
            "",
            "tomorrow",
            "1969-12-31T23:59:59Z",
            "2030-13-01T00:00:00Z",
        ] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
