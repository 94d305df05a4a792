//! Chance: one seed, split in named streams, so that one more draw moves nothing in another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What a stream of draws is for. The number is part of what a seed means: a new one goes to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Sizes, limits, pools.
    Setup = 1,
    /// What goes wrong, and when.
    Faults = 2,
    /// What the clients want, and when.
    Operations = 3,
    /// Order of events at one moment.
    Ties = 4,
    /// How long messages take.
    Net = 5,
    /// How long the store takes, and what it does with what is under way at a crash.
    Store = 6,
    /// How fast the engines are.
    Engines = 7,
    /// When clients try again.
    Clients = 8,
    /// What the owner is given as entropy.
    Owner = 9,
    /// On which terms tasks wait: deadlines, and who gives way to whom.
    Terms = 10,
    /// Who comes for later, who comes under a key, and who takes parked tasks back.
    Later = 11,
    /// What operators do, and with which keys tasks are handed over.
    Acts = 12,
    /// Commands over many tasks.
    Bulks = 13,
    /// Which classes there are, and who asks for which.
    Classes = 14,
    /// Which tasks are handed over together.
    Batches = 15,
    /// Which pools share engine processes.
    Processes = 16,
    /// What sessions are put with.
    Sessions = 17,
}

/// One stream of draws.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64, lane: Lane) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(lane as u64);
        Self(rng)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Anything from 0 to `bound - 1`; 0 if the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bounds in use are tiny beside 2^64, so the bias of the remainder is too.
        self.bits().checked_rem(bound).unwrap_or(0)
    }

    /// Anything from `low` to `high`, both included.
    pub fn within(&mut self, (low, high): (u64, u64)) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// An index below `length`.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_of_one_stream_moves_no_other() {
        let mut quiet = Chance::new(7, Lane::Net);
        let mut other = Chance::new(7, Lane::Store);
        let expected: Vec<u64> = (0..4).map(|_| quiet.bits()).collect();
        let mut again = Chance::new(7, Lane::Net);
        let drawn: Vec<u64> = (0..4)
            .map(|_| {
                other.bits();
                again.bits()
            })
            .collect();
        assert_eq!(drawn, expected);
    }

    #[test]
    fn a_seed_means_the_same_on_every_machine() {
        const FIRST: u64 = 15_715_005_604_373_573_095;
        assert_eq!(Chance::new(1, Lane::Setup).bits(), FIRST);
    }

    #[test]
    fn draws_stay_inside_their_bounds() {
        let mut chance = Chance::new(3, Lane::Setup);
        for _ in 0..1_000 {
            assert!((5..=9).contains(&chance.within((5, 9))));
            assert_eq!(chance.below(1), 0);
        }
    }
}
