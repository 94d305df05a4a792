//! How many tasks wait in each class.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use metrics::gauge;
use orchestrator_core::queue::ClassName;

use super::meter::ANY_ENGINE;

/// The classes that were shown last.
#[derive(Debug, Default)]
pub(super) struct QueueDepths(Mutex<BTreeSet<ClassName>>);

impl QueueDepths {
    /// Shows these classes, and those as empty that are not there any more.
    pub(super) fn show(&self, queued: &[(ClassName, u64)]) {
        for (class, depth) in self.shown(queued) {
            gauge!("queue_depth", "engine" => ANY_ENGINE, "priority" => class.to_string())
                .set(depth as f64);
        }
    }

    /// What to show of these classes and of those that are not there any more: nothing waits in them, and who did not
    /// say so would leave them standing at what they were.
    fn shown(&self, queued: &[(ClassName, u64)]) -> Vec<(ClassName, u64)> {
        let now: BTreeSet<ClassName> = queued.iter().map(|(class, _)| *class).collect();
        let mut before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = before.difference(&now).map(|class| (*class, 0));
        let shown = gone.chain(queued.iter().copied()).collect();
        *before = now;
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_is_gone_is_shown_as_empty_once_and_may_come_back() {
        let depths = QueueDepths::default();
        let (one, other) = ((ClassName::INTERACTIVE, 3), (ClassName::BATCH, 5));
        let gone = (ClassName::BATCH, 0);
        assert_eq!(depths.shown(&[one, other]), [one, other]);
        assert_eq!(depths.shown(&[one]), [gone, one]);
        assert_eq!(depths.shown(&[one]), [one]);
        assert_eq!(depths.shown(&[one, other]), [one, other]);
    }
}
