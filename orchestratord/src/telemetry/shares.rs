//! How the tokens that are dispatched are shared between the classes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use orchestrator_core::queue::ClassName;

/// Weight of the newest dispatch: the last hundred or so tell.
const NEWEST: f64 = 0.01;

/// Moving sums of tokens dispatched, one for each class of which any were.
#[derive(Debug, Default)]
pub(super) struct AdmissionShares(Mutex<BTreeMap<ClassName, f64>>);

impl AdmissionShares {
    /// A task of a class was dispatched for so many tokens; the share of each class now.
    pub(super) fn add(&self, class: ClassName, tokens: u32) -> BTreeMap<ClassName, f64> {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sums.entry(class).or_default();
        for (other, sum) in sums.iter_mut() {
            let value = if *other == class {
                f64::from(tokens.max(1))
            } else {
                0.0
            };
            *sum += (value - *sum) * NEWEST;
        }
        let all: f64 = sums.values().sum();
        sums.iter()
            .map(|(class, sum)| (*class, sum / all))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_add_up_and_follow_the_tokens_slowly() {
        let shares = AdmissionShares::default();
        let first = shares.add(ClassName::INTERACTIVE, 500);
        assert!((first[&ClassName::INTERACTIVE] - 1.0).abs() < 1e-9);
        let mut last = first;
        for _ in 0..1_000 {
            shares.add(ClassName::INTERACTIVE, 300);
            last = shares.add(ClassName::BATCH, 100);
            let sum: f64 = last.values().sum();
            assert!((sum - 1.0).abs() < 1e-9);
        }
        assert!((last[&ClassName::BATCH] - 0.25).abs() < 0.01, "{last:?}");
    }
}
