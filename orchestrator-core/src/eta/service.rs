//! Moving averages of slot occupancy, by pool. Soft: a new machine begins with the guess.

use std::collections::BTreeMap;

use crate::eta::forecast::Spread;
use crate::id::PoolName;

/// Weight of the past is 7 parts of 8.
const WINDOW: u64 = 8;

/// Longest time that is believed, so that sums of it stay in range: a century.
const HELD_MS_MAX: u64 = 100 * 365 * 86_400_000;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceTimes {
    guess_ms: u64,
    measured: BTreeMap<PoolName, Measured>,
}

/// What is measured of a pool, in units of 1/[`WINDOW`], so that small changes are not rounded away.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    /// Milliseconds that an attempt holds its slot.
    held: u64,
    /// How far single ones lie from that.
    deviation: u64,
    /// Microseconds of that for each token generated.
    token_us: u64,
}

impl ServiceTimes {
    /// Nothing measured yet.
    pub(crate) fn new(guess_ms: u64) -> Self {
        Self {
            guess_ms,
            measured: BTreeMap::new(),
        }
    }

    /// An attempt held a slot of a pool for this long, and generated so many tokens.
    pub(crate) fn add(&mut self, pool: &PoolName, held_ms: u64, tokens_out: u64) {
        let held_ms = held_ms.min(HELD_MS_MAX);
        let token_us = held_ms * 1_000 / tokens_out.max(1);
        match self.measured.get_mut(pool) {
            Some(measured) => {
                let off = held_ms.abs_diff(measured.held / WINDOW);
                follow(&mut measured.deviation, off);
                follow(&mut measured.held, held_ms);
                follow(&mut measured.token_us, token_us);
            }
            None => {
                let first = Measured {
                    held: held_ms * WINDOW,
                    // Of a single value nothing is known about how far others lie from it.
                    deviation: held_ms * WINDOW / 2,
                    token_us: token_us * WINDOW,
                };
                self.measured.insert(pool.clone(), first);
            }
        }
    }

    /// Average for a pool, in milliseconds.
    pub(crate) fn average_ms(&self, pool: &PoolName) -> u64 {
        let measured = self.measured.get(pool);
        measured.map_or(self.guess_ms, |measured| measured.held / WINDOW)
    }

    /// How long a task holds a slot of a pool that may generate so many tokens; `None` if nothing was measured.
    pub(crate) fn service(&self, pool: &PoolName, max_tokens: u32) -> Option<Spread> {
        let measured = self.measured.get(pool)?;
        let most_ms = measured.token_us / WINDOW * u64::from(max_tokens) / 1_000;
        Some(Spread {
            mean_ms: (measured.held / WINDOW).min(most_ms),
            deviation_ms: measured.deviation / WINDOW,
        })
    }

    /// Milliseconds to the start with `ahead` tasks before, over pools given with their slots.
    pub(crate) fn eta_ms<'a>(
        &self,
        ahead: u64,
        pools: impl Iterator<Item = (&'a PoolName, u32)>,
    ) -> u64 {
        // Slots that come free in a million milliseconds, over all pools.
        let rate: u128 = pools
            .map(|(pool, slots)| {
                u128::from(slots) * 1_000_000 / u128::from(self.average_ms(pool).max(1))
            })
            .sum();
        let eta = (u128::from(ahead) + 1) * 1_000_000 / rate.max(1);
        u64::try_from(eta).unwrap_or(u64::MAX)
    }
}

fn follow(scaled: &mut u64, value: u64) {
    *scaled = *scaled - *scaled / WINDOW + value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_share_the_queue() {
        let pool = PoolName::new("default");
        let times = ServiceTimes::new(1_000);
        assert_eq!(times.eta_ms(0, [(&pool, 1)].into_iter()), 1_000);
        assert_eq!(times.eta_ms(3, [(&pool, 1)].into_iter()), 4_000);
        assert_eq!(times.eta_ms(3, [(&pool, 4)].into_iter()), 1_000);
    }

    #[test]
    fn the_average_follows_what_is_measured() {
        let pool = PoolName::new("default");
        let mut times = ServiceTimes::new(60_000);
        assert_eq!(times.service(&pool, 10), None);
        times.add(&pool, 100, 10);
        assert_eq!(times.average_ms(&pool), 100);
        for _ in 0..60 {
            times.add(&pool, 900, 90);
        }
        let average = times.average_ms(&pool);
        assert!((890..=900).contains(&average), "{average}");
        let Spread {
            mean_ms,
            deviation_ms,
        } = times.service(&pool, 10).unwrap();
        assert_eq!(mean_ms, 100, "10 tokens of 10 ms");
        assert!(deviation_ms < 20, "{deviation_ms}");
        let whole = times.service(&pool, 1_000).unwrap();
        assert_eq!(whole.mean_ms, average, "no more than attempts take");
    }
}
