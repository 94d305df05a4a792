//! Trying again.

use std::time::Duration;

use tokio::time::sleep;
use uuid::Uuid;

use super::ApiError;

/// How long to wait between tries: a random time up to a bound that doubles with each failure
/// in a row ("full jitter"), so that many clients of a restarted server do not come back at
/// once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Bound of the first wait.
    pub base: Duration,
    /// Greatest bound.
    pub cap: Duration,
    /// Failures in a row after which the last one is given to the caller.
    pub attempts: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(200),
            cap: Duration::from_secs(10),
            attempts: 20,
        }
    }
}

impl Backoff {
    /// The wait after this many failures in a row (from 1), for a random number.
    pub fn delay(&self, failures: u32, entropy: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(32);
        let bound = self.base.saturating_mul(2u32.saturating_pow(doublings));
        let bound = bound.min(self.cap).as_nanos();
        // The product of two numbers below 2^64 fits.
        let nanos = (bound.min(u128::from(u64::MAX)) * u128::from(entropy)) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The wait after a failure; `None` if that was the last try.
    pub(super) fn after(&self, failures: u32, error: &ApiError) -> Option<Duration> {
        if failures >= self.attempts || !error.retryable() {
            return None;
        }
        let jittered = self.delay(failures, entropy());
        Some(jittered.max(error.retry_after().unwrap_or_default()))
    }
}

/// Calls until it works, fails for good, or the tries are used up. Only for reads, and for
/// calls with a key of their own.
///
/// # Errors
///
/// The error of the last try.
pub async fn retry<T, F>(backoff: &Backoff, mut call: F) -> Result<T, ApiError>
where
    F: AsyncFnMut() -> Result<T, ApiError>,
{
    let mut failures = 0;
    loop {
        let error = match call().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        failures += 1;
        match backoff.after(failures, &error) {
            Some(delay) => sleep(delay).await,
            None => return Err(error),
        }
    }
}

fn entropy() -> u64 {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    // Both halves hold constant bits of the version; together none is constant.
    high ^ low.rotate_left(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        base: Duration::from_millis(100),
        cap: Duration::from_secs(1),
        attempts: 3,
    };

    #[test]
    fn waits_are_random_below_a_bound_that_doubles_up_to_the_cap() {
        for (failures, bound_ms) in [
            (1, 100),
            (2, 200),
            (3, 400),
            (4, 800),
            (5, 1000),
            (99, 1000),
        ] {
            let longest = BACKOFF.delay(failures, u64::MAX);
            let bound = Duration::from_millis(bound_ms);
            assert!(
                longest <= bound && longest > bound.mul_f64(0.999),
                "{longest:?}"
            );
            assert_eq!(BACKOFF.delay(failures, 0), Duration::ZERO);
            let half = BACKOFF.delay(failures, u64::MAX / 2);
            assert!(half <= bound / 2, "{half:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_succeed_is_not_tried_again() {
        let mut calls = 0;
        let outcome = retry(&BACKOFF, async || {
            calls += 1;
            Err::<(), _>(ApiError::Protocol {
                detail: "x".to_owned(),
            })
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn tries_end_when_they_are_used_up() {
        let mut calls = 0;
        let outcome = retry(&BACKOFF, async || {
            calls += 1;
            Err::<(), _>(ApiError::Interrupted {
                detail: "x".to_owned(),
            })
        })
        .await;
        assert!(matches!(outcome, Err(ApiError::Interrupted { .. })));
        assert_eq!(calls, BACKOFF.attempts);
    }
}
