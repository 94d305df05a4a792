//! Where the time comes from.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use orchestrator_core::time::{MonoMs, Now, WallMs};

/// Tells the time.
pub trait Clock: Send {
    /// Both clocks, read at once.
    fn now(&self) -> Now;
}

/// The clocks of the operating system; the monotonic one counts from when this was made.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    zero: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            zero: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        // A wall clock before 1970 is as wrong as it gets; 0 is as good as any answer.
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let ms =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Now {
            mono: MonoMs(ms(self.zero.elapsed())),
            wall: WallMs(ms(wall)),
        }
    }
}
