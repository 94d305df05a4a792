//! What was used and flows back with time, exact in whole numbers.

use crate::time::{AgeMs, MonoMs, Now, WallMs};

/// Units of one request: a rate of one request a second gives back one unit a millisecond.
pub const UNITS_PER_REQUEST: u64 = 1_000;

/// Units of one token: a rate of one token a minute gives back one unit a millisecond.
pub const UNITS_PER_TOKEN: u64 = 60_000;

/// A level as it was at a moment. It falls by its rate in units each millisecond, down to 0; the rate belongs to the
/// limit and is given with each question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Units in it.
    pub units: u64,
    /// When that was so.
    pub at: WallMs,
}

/// A bucket in use: its row, and the same moment on the clock that does not jump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gauge {
    pub(super) row: Bucket,
    since: AgeMs,
}

impl Gauge {
    /// A bucket of which the row is known. If the wall clock was set back since, nothing has flowed back yet.
    pub(super) fn restore(now: Now, row: Bucket) -> Self {
        Self {
            row,
            since: AgeMs::of_wall(now, row.at),
        }
    }

    /// Units in it now.
    pub(super) fn units(&self, now: MonoMs, rate: u64) -> u64 {
        let back = rate.saturating_mul(self.since.elapsed(now));
        self.row.units.saturating_sub(back)
    }

    /// Adds units.
    pub(super) fn add(&mut self, now: Now, rate: u64, units: u64) {
        let before = self.units(now.mono, rate);
        self.set(now, before.saturating_add(units));
    }

    /// Sets the level.
    pub(super) fn set(&mut self, now: Now, units: u64) {
        self.row = Bucket {
            units,
            at: now.wall,
        };
        self.since = AgeMs::at(now.mono);
    }
}

/// Milliseconds until `units` have flowed back, rounded up; at least 1.
pub(super) fn wait_ms(units: u64, rate: u64) -> u64 {
    units.div_ceil(rate.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Now {
        Now {
            mono: MonoMs(ms),
            wall: WallMs(1_000_000 + ms),
        }
    }

    #[test]
    fn what_flows_back_in_pieces_is_what_flows_back_at_once() {
        let mut piecewise = Gauge::default();
        piecewise.add(at(0), 7, 1_000);
        let whole = piecewise;
        for ms in 1..=100 {
            piecewise.add(at(ms), 7, 0);
        }
        assert_eq!(piecewise.units(MonoMs(100), 7), 300);
        assert_eq!(whole.units(MonoMs(100), 7), 300);
        assert_eq!(whole.units(MonoMs(10_000), 7), 0);
    }

    #[test]
    fn the_wait_ends_in_the_very_millisecond_in_which_there_is_room() {
        let mut gauge = Gauge::default();
        gauge.add(at(0), 7, 1_000);
        let wait = wait_ms(500, 7);
        assert!(gauge.units(MonoMs(wait), 7) <= 500);
        assert!(gauge.units(MonoMs(wait - 1), 7) > 500);
    }

    #[test]
    fn another_process_reads_the_same_level() {
        let mut gauge = Gauge::default();
        gauge.add(at(5), 7, 1_000);
        let later = Now {
            mono: MonoMs(3),
            wall: WallMs(1_000_065),
        };
        let restored = Gauge::restore(later, gauge.row);
        assert_eq!(restored.units(MonoMs(3), 7), gauge.units(MonoMs(65), 7));
        // A clock that was set back gives nothing back, and takes nothing.
        let before = Now {
            mono: MonoMs(3),
            wall: WallMs(9),
        };
        assert_eq!(Gauge::restore(before, gauge.row).units(MonoMs(3), 7), 1_000);
    }
}
