//! A token bucket that holds one token: an even pace, not bursts.

use std::time::{Duration, Instant};

/// Says when the next token may be generated, so that there are never more than so many a second.
pub(crate) struct Throttle {
    interval: Duration,
    /// When the bucket has its token again.
    full_at: Option<Instant>,
}

impl Throttle {
    /// `per_second` is positive; `None` is as fast as it goes.
    pub(crate) fn new(per_second: Option<f64>) -> Self {
        Self {
            interval: per_second.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate)),
            full_at: None,
        }
    }

    /// Takes the next token, and says from when on it may be used.
    ///
    /// The pace is kept across late callers as long as they are late by less than one interval: an
    /// oversleeping thread does not lower the rate.
    pub(crate) fn take(&mut self, now: Instant) -> Instant {
        let due = self.full_at.map_or(now, |full_at| full_at.max(now));
        self.full_at = Some(due + self.interval);
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Throttle;

    #[test]
    fn the_pace_is_even_and_time_that_nobody_used_is_not_saved() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut throttle = Throttle::new(Some(50.0));
        assert_eq!(throttle.take(at(0)), at(0));
        assert_eq!(throttle.take(at(0)), at(20));
        // Late by less than an interval: the next one is due as if nothing had happened.
        assert_eq!(throttle.take(at(33)), at(40));
        assert_eq!(throttle.take(at(41)), at(60));
        // Idle for long: one token at once, no burst.
        assert_eq!(throttle.take(at(1000)), at(1000));
        assert_eq!(throttle.take(at(1000)), at(1020));
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let now = Instant::now();
        let mut throttle = Throttle::new(None);
        assert_eq!([throttle.take(now), throttle.take(now)], [now, now]);
    }
}
