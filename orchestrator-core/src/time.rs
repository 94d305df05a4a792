//! The two clocks, always passed in.

use std::ops::{Add, Sub};

/// Milliseconds of a monotonic clock with an arbitrary zero. Leases, ageing and time-outs use it.
/// Never persisted: it means nothing to another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MonoMs(pub u64);

/// Milliseconds since 1970 by the wall clock, which may jump. Records and ids use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WallMs(pub u64);

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// Monotonic reading.
    pub mono: MonoMs,
    /// Wall reading.
    pub wall: WallMs,
}

impl Add<u64> for MonoMs {
    type Output = Self;

    fn add(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Sub for MonoMs {
    type Output = u64;

    /// Milliseconds from `earlier` to `self`, 0 if it is not earlier.
    fn sub(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for WallMs {
    type Output = Self;

    fn add(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Sub for WallMs {
    type Output = u64;

    /// Milliseconds from `earlier` to `self`, 0 if it is not earlier (the clock may have been set back).
    fn sub(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A moment on the monotonic clock that may lie before its zero: how long ago something was, for what
/// began before this process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AgeMs(pub i64);

impl AgeMs {
    /// The moment itself.
    #[must_use]
    pub fn at(now: MonoMs) -> Self {
        Self(i64::try_from(now.0).unwrap_or(i64::MAX))
    }

    /// The moment at which the wall clock showed `then`; now, if the clock was set back since.
    #[must_use]
    pub fn of_wall(now: Now, then: WallMs) -> Self {
        let ago = i64::try_from(now.wall - then).unwrap_or(i64::MAX);
        Self(Self::at(now.mono).0.saturating_sub(ago))
    }

    /// The moment so many milliseconds later.
    #[must_use]
    pub fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from this moment to `now`, 0 if it lies ahead.
    #[must_use]
    pub fn elapsed(self, now: MonoMs) -> u64 {
        u64::try_from(Self::at(now).0.saturating_sub(self.0)).unwrap_or(0)
    }
}
