//! Moving averages of slot occupancy, by pool. Soft: a new machine begins with the guess.

use std::collections::BTreeMap;

use crate::id::PoolName;

/// Weight of the past is 7 parts of 8.
const WINDOW: u64 = 8;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceTimes {
    guess_ms: u64,
    /// Averages in units of 1/[`WINDOW`] milliseconds, so that small changes are not rounded away.
    scaled: BTreeMap<PoolName, u64>,
}

impl ServiceTimes {
    /// Nothing measured yet.
    pub(crate) fn new(guess_ms: u64) -> Self {
        Self {
            guess_ms,
            scaled: BTreeMap::new(),
        }
    }

    /// An attempt held a slot of a pool for this long.
    pub(crate) fn add(&mut self, pool: &PoolName, held_ms: u64) {
        let held_ms = held_ms.min(u64::MAX / WINDOW / 2);
        match self.scaled.get_mut(pool) {
            Some(average) => *average = *average - *average / WINDOW + held_ms,
            None => {
                self.scaled.insert(pool.clone(), held_ms * WINDOW);
            }
        }
    }

    /// Average for a pool, in milliseconds.
    pub(crate) fn average_ms(&self, pool: &PoolName) -> u64 {
        self.scaled
            .get(pool)
            .map_or(self.guess_ms, |scaled| scaled / WINDOW)
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
        times.add(&pool, 100);
        assert_eq!(times.average_ms(&pool), 100);
        for _ in 0..50 {
            times.add(&pool, 900);
        }
        assert!(
            (890..=900).contains(&times.average_ms(&pool)),
            "{}",
            times.average_ms(&pool)
        );
    }
}
