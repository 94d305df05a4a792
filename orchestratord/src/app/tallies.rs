//! Counts of what bulks would meet: a few at a time, each to its end.

use std::future::Future;
use std::time::Duration;

use orchestrator_core::bulk::BulkTally;
use orchestrator_core::refusal::Refusal;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::commands::unavailable;
use super::trouble::Trouble;
use crate::owner::OwnerUnavailable;

/// Counts under way at a time; others wait for their turn. Each looks at the machine again and again, and what it looks
/// at may be a long queue.
const AT_ONCE: usize = 4;

/// Looks in a row that may find no place before the count is given up. Between two of them is the time after which the
/// owner says that it may be worth trying again.
const BUSY_MAX: u32 = 10;

/// Places of counts that are under way.
#[derive(Debug)]
pub struct Tallies(Semaphore);

impl Default for Tallies {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Tallies {
    /// Counts to the end, look by look, so that the owner does whatever else it has to between any two of them. Where
    /// too many look at the machine, the count waits and goes on from where it was.
    pub(super) async fn to_end<F>(
        &self,
        mut tally: BulkTally,
        mut look: impl FnMut(BulkTally) -> F,
    ) -> Result<BulkTally, Trouble>
    where
        F: Future<Output = Result<Result<BulkTally, Refusal>, OwnerUnavailable>>,
    {
        let _place = self.0.acquire().await.expect("it is never closed");
        let mut busy = 0;
        while !tally.over {
            match look(tally).await {
                Ok(seen) => {
                    tally = seen.map_err(Trouble::Refused)?;
                    busy = 0;
                }
                Err(OwnerUnavailable::Busy { retry_after_ms }) if busy < BUSY_MAX => {
                    busy += 1;
                    sleep(Duration::from_millis(retry_after_ms)).await;
                }
                Err(error) => return Err(unavailable(error)),
            }
        }
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use orchestrator_core::bulk::{BulkAction, BulkFilter};
    use orchestrator_core::id::TenantId;
    use tokio::sync::Notify;
    use tokio::time::Instant;

    use super::*;

    const RETRY_AFTER_MS: u64 = 700;

    fn fresh() -> BulkTally {
        BulkTally::new(BulkAction::Cancel, BulkFilter::of(TenantId::DEFAULT))
    }

    fn busy<T>() -> Result<T, OwnerUnavailable> {
        Err(OwnerUnavailable::Busy {
            retry_after_ms: RETRY_AFTER_MS,
        })
    }

    /// Counts one task, and is at the end after so many.
    fn counted(mut tally: BulkTally, all: u64) -> Result<BulkTally, Refusal> {
        tally.count.matched += 1;
        tally.over = tally.count.matched == all;
        Ok(tally)
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_finds_no_place_is_taken_again_and_the_count_goes_on() {
        let began = Instant::now();
        let looks = Cell::new(0);
        // Two of three find none.
        let look = |tally| {
            looks.set(looks.get() + 1);
            let found = looks.get() % 3 == 0;
            async move {
                match found {
                    true => Ok(counted(tally, 50)),
                    false => busy(),
                }
            }
        };
        let tally = Tallies::default().to_end(fresh(), look).await.unwrap();
        assert_eq!((tally.count.matched, looks.get()), (50, 150));
        let waited = Duration::from_millis(100 * RETRY_AFTER_MS);
        assert!(began.elapsed() >= waited, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_that_never_finds_a_place_is_given_up() {
        let looks = Cell::new(0);
        let look = |_| {
            looks.set(looks.get() + 1);
            async { busy() }
        };
        let trouble = Tallies::default().to_end(fresh(), look).await.unwrap_err();
        let retry_after_ms = RETRY_AFTER_MS;
        assert!(
            matches!(trouble, Trouble::Busy { retry_after_ms: it } if it == retry_after_ms),
            "{trouble:?}"
        );
        assert_eq!(looks.get(), 1 + BUSY_MAX);
    }

    #[tokio::test]
    async fn few_count_at_a_time_and_the_others_have_their_turn() {
        let tallies = Tallies::default();
        let (go, under_way) = (Notify::new(), Cell::new(0));
        let count = || {
            tallies.to_end(fresh(), |tally| {
                under_way.set(under_way.get() + 1);
                let go = &go;
                async move {
                    go.notified().await;
                    Ok(counted(tally, 1))
                }
            })
        };
        let mut all = Box::pin(join_all((0..3 * AT_ONCE).map(|_| count())));
        for begun in AT_ONCE..=3 * AT_ONCE {
            assert!((&mut all).now_or_never().is_none());
            assert_eq!(under_way.get(), begun, "one more for each that is over");
            go.notify_one();
        }
        for _ in 1..AT_ONCE {
            assert!((&mut all).now_or_never().is_none());
            go.notify_one();
        }
        assert!(all.await.iter().all(Result::is_ok));
    }
}
