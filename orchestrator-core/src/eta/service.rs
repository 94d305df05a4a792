//! Moving averages of slot occupancy, by pool. Soft: a new machine begins with the guess.

use std::collections::BTreeMap;

use crate::eta::band::{Departures, Reach, StartBand};
use crate::eta::forecast::Spread;
use crate::eta::sketch::{FINE, Sketch};
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

/// What is measured of a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    /// How long an attempt holds its slot.
    held: Sketch,
    /// How far single ones lie from that, in units of 1/[`WINDOW`] ms, so that small changes are not rounded away.
    deviation: u64,
    /// Microseconds of that for each token generated, in units of 1/[`WINDOW`].
    token_us: u64,
}

impl Measured {
    fn held_ms(&self) -> u64 {
        self.held.mean() / FINE
    }
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
                let off = held_ms.abs_diff(measured.held_ms());
                follow(&mut measured.deviation, off);
                measured.held.add(held_ms);
                follow(&mut measured.token_us, token_us);
            }
            None => {
                let mut held = Sketch::default();
                held.add(held_ms);
                let first = Measured {
                    held,
                    // Of a single value nothing is known about how far others lie from it.
                    deviation: held_ms * WINDOW / 2,
                    token_us: token_us * WINDOW,
                };
                self.measured.insert(pool.clone(), first);
            }
        }
    }

    /// Average for a pool, in milliseconds.
    #[cfg(test)]
    pub(crate) fn average_ms(&self, pool: &PoolName) -> u64 {
        let measured = self.measured.get(pool);
        measured.map_or(self.guess_ms, Measured::held_ms)
    }

    /// How long a task holds a slot of a pool that may generate so many tokens; `None` if nothing was measured.
    pub(crate) fn service(&self, pool: &PoolName, max_tokens: u32) -> Option<Spread> {
        let measured = self.measured.get(pool)?;
        let most_ms = measured.token_us / WINDOW * u64::from(max_tokens) / 1_000;
        Some(Spread {
            mean_ms: measured.held_ms().min(most_ms),
            deviation_ms: measured.deviation / WINDOW,
        })
    }

    /// Milliseconds to the start with `ahead` tasks before, over pools given with their slots.
    pub(crate) fn eta_ms<'a>(
        &self,
        ahead: u64,
        pools: impl Iterator<Item = (&'a PoolName, u32)>,
    ) -> u64 {
        self.departures(pools).0.mean_ms(ahead.saturating_add(1))
    }

    /// As long as that at most on average: as if the attempts under way had begun just now.
    pub(crate) fn latest_ms<'a>(
        &self,
        ahead: u64,
        pools: impl Iterator<Item = (&'a PoolName, u32)>,
    ) -> u64 {
        let gap = u128::from(self.departures(pools).0.gap);
        let latest = gap * (u128::from(ahead) + 1) / u128::from(FINE);
        u64::try_from(latest).unwrap_or(u64::MAX)
    }

    /// The band around that; `None` if too little is measured of any of the pools.
    pub(crate) fn band<'a>(
        &self,
        ahead: u64,
        pools: impl Iterator<Item = (&'a PoolName, u32)>,
        reach: Reach,
    ) -> Option<StartBand> {
        let (departures, measured) = self.departures(pools);
        measured.then(|| departures.band(ahead.saturating_add(1), reach))
    }

    /// How slots come free over some pools, and whether all of that is measured. What is not is taken for a guess
    /// whose length tells nothing of what is left of it.
    fn departures<'a>(
        &self,
        pools: impl Iterator<Item = (&'a PoolName, u32)>,
    ) -> (Departures, bool) {
        /// Time over which slots that come free are counted, in 1/[`FINE`] ms.
        const SPAN: u128 = 1 << 84;
        let mut measured = true;
        let (mut rate, mut scattered, mut slots) = (0_u128, 0_u128, 0_u64);
        let mut weight = u64::MAX;
        for (pool, of_pool) in pools.filter(|(_, slots)| *slots > 0) {
            let held = self.measured.get(pool).map(|measured| measured.held);
            let dispersion = held.and_then(|held| held.dispersion());
            measured &= dispersion.is_some();
            let mean = held.map_or(self.guess_ms.saturating_mul(FINE), |held| held.mean());
            let own = SPAN / u128::from(mean.max(1)) * u128::from(of_pool);
            rate += own;
            scattered += own / u128::from(FINE) * u128::from(dispersion.unwrap_or(FINE));
            slots += u64::from(of_pool);
            weight = weight.min(held.map_or(1, |held| held.weight()));
        }
        let departures = Departures {
            gap: u64::try_from(SPAN / rate.max(1))
                .unwrap_or(u64::MAX)
                .min(HELD_MS_MAX * FINE),
            dispersion: u64::try_from(scattered / (rate / u128::from(FINE)).max(1)).unwrap_or(FINE),
            slots,
            weight,
        };
        (departures, measured && slots > 0)
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
        for _ in 0..160 {
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
