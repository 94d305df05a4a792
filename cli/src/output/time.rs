//! Times as people say them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wall clock, read once for a whole page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    now_ms: u64,
}

impl Clock {
    pub(crate) fn read() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            now_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Milliseconds since 1970.
    pub(crate) const fn now_ms(self) -> u64 {
        self.now_ms
    }

    /// How long ago a time was, in milliseconds; 0 if this host's clock is behind.
    fn since(self, at_ms: u64) -> u64 {
        self.now_ms.saturating_sub(at_ms)
    }
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A duration: `420ms`, `4.2s`, `3m12s`, `2h05m`, `3d4h`.
pub(crate) fn span(ms: u64) -> String {
    match ms {
        0..SECOND => format!("{ms}ms"),
        SECOND..MINUTE => format!("{}.{}s", ms / SECOND, ms % SECOND / 100),
        MINUTE..HOUR => format!("{}m{:02}s", ms / MINUTE, ms % MINUTE / SECOND),
        HOUR..DAY => format!("{}h{:02}m", ms / HOUR, ms % HOUR / MINUTE),
        DAY.. => format!("{}d{}h", ms / DAY, ms % DAY / HOUR),
    }
}

/// A moment in milliseconds since 1970, in UTC.
pub(crate) fn moment(at_ms: u64) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(at_ms));
    at.map_or_else(
        || format!("{at_ms} ms"),
        |at| humantime::format_rfc3339_millis(at).to_string(),
    )
}

/// When something is expected, in milliseconds from now.
pub(crate) fn soon(ms: u64) -> String {
    match ms {
        0 => "at once".to_owned(),
        ms => format!("in about {}", span(ms)),
    }
}

/// When something is expected, and between when and when it comes four times of five, if that is known:
/// `in about 4.2s (1.0s to 9.0s)`.
pub(crate) fn soon_within(ms: u64, low_ms: Option<u64>, high_ms: Option<u64>) -> String {
    match low_ms.zip(high_ms).filter(|(_, high_ms)| *high_ms > 0) {
        None => soon(ms),
        Some((low_ms, high_ms)) => format!("{} ({} to {})", soon(ms), span(low_ms), span(high_ms)),
    }
}

/// A time in the past, by its largest unit: `just now`, `12s ago`, `3m ago`.
pub(crate) fn ago(clock: Clock, at_ms: u64) -> String {
    let ms = clock.since(at_ms);
    match ms {
        0..SECOND => "just now".to_owned(),
        SECOND..MINUTE => format!("{}s ago", ms / SECOND),
        MINUTE..HOUR => format!("{}m ago", ms / MINUTE),
        HOUR..DAY => format!("{}h ago", ms / HOUR),
        DAY.. => format!("{}d ago", ms / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_use_the_two_largest_units() {
        let said: Vec<String> = [
            0,
            999,
            1_000,
            4_290,
            59_999,
            60_000,
            192_000,
            HOUR,
            7_500_000,
            DAY,
            273_600_000,
        ]
        .map(span)
        .into();
        assert_eq!(
            said,
            [
                "0ms", "999ms", "1.0s", "4.2s", "59.9s", "1m00s", "3m12s", "1h00m", "2h05m",
                "1d0h", "3d4h"
            ]
        );
    }

    #[test]
    fn what_is_expected_says_how_sure_it_is() {
        assert_eq!(soon_within(0, Some(0), Some(0)), "at once");
        assert_eq!(soon_within(4_200, None, None), "in about 4.2s");
        let said = soon_within(4_200, Some(900), Some(62_000));
        assert_eq!(said, "in about 4.2s (900ms to 1m02s)");
    }

    #[test]
    fn times_are_relative_and_never_in_the_future() {
        let clock = Clock { now_ms: 2 * DAY };
        let said: Vec<String> = [
            2 * DAY,
            3 * DAY,
            2 * DAY - 1_000,
            2 * DAY - 61_000,
            DAY + 1,
            DAY,
            0,
        ]
        .map(|at| ago(clock, at))
        .into();
        assert_eq!(
            said,
            [
                "just now", "just now", "1s ago", "1m ago", "23h ago", "1d ago", "2d ago"
            ]
        );
    }
}
