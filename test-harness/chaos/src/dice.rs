//! Chance, from one seed.

use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest as _, Sha256};

/// One stream of chance. Streams of other names are independent, so that one more draw here moves nothing there.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha12Rng);

impl Dice {
    /// The stream of a name.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(name.as_bytes());
        Self(ChaCha12Rng::from_seed(hash.finalize().into()))
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn range(&mut self, least: u64, most: u64) -> u64 {
        let span = u128::from(most.saturating_sub(least)) + 1;
        let drawn = (u128::from(self.0.next_u64()) * span) >> 64;
        least + u64::try_from(drawn).unwrap_or(0)
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.range(1, 100) <= chance
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let last = of.len().saturating_sub(1) as u64;
        of[usize::try_from(self.range(0, last)).unwrap_or(0)]
    }

    /// One of these, each as often as its weight says.
    pub(crate) fn weighed<T: Copy>(&mut self, of: &[(T, u64)]) -> T {
        let all: u64 = of.iter().map(|(_, weight)| weight).sum();
        let mut left = self.range(1, all.max(1));
        for (what, weight) in of {
            match left.checked_sub(*weight) {
                None | Some(0) => return *what,
                Some(rest) => left = rest,
            }
        }
        of[of.len() - 1].0
    }

    /// A fresh id.
    pub(crate) fn id(&mut self) -> u128 {
        let bits = (u128::from(self.0.next_u64()) << 64) | u128::from(self.0.next_u64());
        uuid::Builder::from_random_bytes(bits.to_be_bytes())
            .into_uuid()
            .as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_name_say_everything() {
        let draw = |seed, name| Dice::new(seed, name).range(0, u64::MAX);
        assert_eq!(draw(1, "faults"), draw(1, "faults"));
        assert_ne!(draw(1, "faults"), draw(2, "faults"));
        assert_ne!(draw(1, "faults"), draw(1, "load"));
    }

    #[test]
    fn every_outcome_comes_and_no_other() {
        let mut dice = Dice::new(1, "");
        let mut seen = [0_u32; 5];
        for _ in 0..1_000 {
            let drawn = dice.range(3, 6);
            assert!((3..=6).contains(&drawn));
            seen[usize::try_from(drawn - 3).unwrap()] += 1;
            seen[4] += u32::from(dice.weighed(&[(true, 1), (false, 9)]));
        }
        assert!(seen[..4].iter().all(|count| *count > 150), "{seen:?}");
        assert!((50..200).contains(&seen[4]), "{seen:?}");
    }
}
