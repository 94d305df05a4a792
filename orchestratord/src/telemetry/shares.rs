//! How the tokens that are dispatched are shared between the classes.

use std::sync::{Mutex, PoisonError};

use orchestrator_core::task::Priority;

/// Weight of the newest dispatch: the last hundred or so tell.
const NEWEST: f64 = 0.01;

/// Moving sums of tokens dispatched, one for each class.
#[derive(Debug, Default)]
pub(super) struct AdmissionShares(Mutex<[f64; Priority::ALL.len()]>);

impl AdmissionShares {
    /// A task of a class was dispatched for so many tokens; the share of each class now.
    pub(super) fn add(
        &self,
        priority: Priority,
        tokens: u32,
    ) -> [(Priority, f64); Priority::ALL.len()] {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (class, sum) in Priority::ALL.into_iter().zip(sums.iter_mut()) {
            let value = if class == priority {
                f64::from(tokens.max(1))
            } else {
                0.0
            };
            *sum += (value - *sum) * NEWEST;
        }
        let all: f64 = sums.iter().sum();
        let [first, second] = *sums;
        let [interactive, batch] = Priority::ALL;
        [(interactive, first / all), (batch, second / all)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(shares: [(Priority, f64); 2], of: Priority) -> f64 {
        shares
            .into_iter()
            .find(|(class, _)| *class == of)
            .map_or(0.0, |(_, share)| share)
    }

    #[test]
    fn the_shares_add_up_and_follow_the_tokens_slowly() {
        let shares = AdmissionShares::default();
        let first = shares.add(Priority::Interactive, 500);
        assert!((share(first, Priority::Interactive) - 1.0).abs() < 1e-9);
        let mut last = first;
        for _ in 0..1_000 {
            shares.add(Priority::Interactive, 300);
            last = shares.add(Priority::Batch, 100);
            let sum: f64 = last.iter().map(|(_, share)| share).sum();
            assert!((sum - 1.0).abs() < 1e-9);
        }
        assert!(
            (share(last, Priority::Batch) - 0.25).abs() < 0.01,
            "{last:?}"
        );
    }
}
