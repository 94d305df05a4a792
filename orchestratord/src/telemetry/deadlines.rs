//! How many deadlines are met.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use orchestrator_core::queue::ClassName;

/// Weight of the newest task in the ratio: the last hundred or so tell.
const NEWEST: f64 = 0.01;

/// Moving ratios, one for each class.
#[derive(Debug, Default)]
pub(super) struct DeadlineRatios(Mutex<HashMap<ClassName, f64>>);

impl DeadlineRatios {
    /// A task of a class met its deadline or did not; the ratio of the class now.
    pub(super) fn add(&self, priority: ClassName, met: bool) -> f64 {
        let value = if met { 1.0 } else { 0.0 };
        let mut ratios = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ratio = ratios.entry(priority).or_insert(value);
        *ratio += (value - *ratio) * NEWEST;
        *ratio
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_follows_slowly_and_each_class_has_its_own() {
        let ratios = DeadlineRatios::default();
        assert!((ratios.add(ClassName::BATCH, true) - 1.0).abs() < 1e-9);
        assert!((ratios.add(ClassName::BATCH, false) - 0.99).abs() < 1e-9);
        assert!(ratios.add(ClassName::INTERACTIVE, false).abs() < 1e-9);
        for _ in 0..1_000 {
            ratios.add(ClassName::BATCH, false);
        }
        assert!(ratios.add(ClassName::BATCH, false) < 0.001);
    }
}
