//! The clocks of one process.

use orchestrator_core::time::{MonoMs, Now, WallMs};

use crate::agenda::{MILLI, Micros};
use crate::plan::WALL_ZERO_MS;

/// Both clocks of a process. The monotonic one begins with the process and drifts; the wall clock is off by
/// something, and may jump.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    boot: Micros,
    drift_ppm: i64,
    wall_off_ms: i64,
    /// True if the wall clock always shows the same.
    stopped: bool,
    /// How far the wall clock that is told is ahead of the one that there is, in milliseconds.
    ahead_ms: i64,
}

impl Clock {
    pub(crate) fn new(boot: Micros, drift_ppm: i64, wall_off_ms: i64) -> Self {
        Self {
            boot,
            drift_ppm,
            wall_off_ms,
            stopped: false,
            ahead_ms: 0,
        }
    }

    /// The same, with a wall clock that always shows the same.
    pub(crate) fn stopped(self) -> Self {
        Self {
            stopped: true,
            ..self
        }
    }

    /// The same, which tells a wall clock that is a minute ahead.
    pub(crate) fn ahead(self) -> Self {
        Self {
            ahead_ms: 60_000,
            ..self
        }
    }

    /// What both show, whatever is told.
    pub(crate) fn honest(&self, at: Micros) -> Now {
        Self {
            ahead_ms: 0,
            ..*self
        }
        .now(at)
    }

    /// The wall clock goes on.
    pub(crate) fn go_on(&mut self) {
        self.stopped = false;
    }

    /// The wall clock is set.
    pub(crate) fn jump(&mut self, ms: i64) {
        self.wall_off_ms += ms;
    }

    /// What both show.
    pub(crate) fn now(&self, at: Micros) -> Now {
        let mono = self.drifted(at.saturating_sub(self.boot)) / MILLI;
        let true_ms = i64::try_from(at / MILLI).unwrap_or(i64::MAX);
        let wall_zero_ms = WALL_ZERO_MS.cast_signed();
        let wall = match self.stopped {
            true => wall_zero_ms,
            false => wall_zero_ms + true_ms + self.wall_off_ms + self.ahead_ms,
        };
        Now {
            mono: MonoMs(mono),
            wall: WallMs(u64::try_from(wall).unwrap_or(0)),
        }
    }

    /// The first moment at which the monotonic clock shows `mono`.
    pub(crate) fn when(&self, mono: MonoMs) -> Micros {
        let wanted = i128::from(mono.0) * i128::from(MILLI);
        let rate = i128::from(1_000_000 + self.drift_ppm);
        let elapsed = (wanted * 1_000_000 + rate - 1).div_euclid(rate);
        let mut at = self
            .boot
            .saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX));
        // Rounding may leave it a tick off, either way.
        while self.now(at).mono < mono && at < Micros::MAX {
            at += 1;
        }
        while at > self.boot && self.now(at - 1).mono >= mono {
            at -= 1;
        }
        at
    }

    fn drifted(&self, elapsed: Micros) -> Micros {
        let more = i128::from(elapsed) * i128::from(self.drift_ppm) / 1_000_000;
        u64::try_from(i128::from(elapsed) + more).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_woken_when_its_clock_shows_the_time() {
        for drift in [-50_000, -1, 0, 7, 50_000] {
            let clock = Clock::new(12_345, drift, 0);
            for mono in [0, 1, 999, 123_456] {
                let at = clock.when(MonoMs(mono));
                assert!(clock.now(at).mono >= MonoMs(mono));
                assert!(at == 12_345 || clock.now(at - 1).mono < MonoMs(mono));
            }
        }
    }

    #[test]
    fn a_jump_moves_the_wall_clock_only() {
        let mut clock = Clock::new(0, 0, 0);
        let before = clock.now(5_000_000);
        clock.jump(-3_600_000);
        let after = clock.now(5_000_000);
        assert_eq!(after.mono, before.mono);
        assert_eq!(after.wall.0, before.wall.0 - 3_600_000);
    }
}
