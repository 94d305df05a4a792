//! The oracle of admission: who is next.

use orchestrator_core::task::Priority;
use orchestrator_core::time::MonoMs;

use super::book::Book;
use super::court::Checker;
use super::queue_view::{QueueView, Waiter};
use super::sight::Sight;
use crate::plan::Setup;
use crate::story::Name;

/// Watches that nobody is dispatched before somebody who is before it in the order and could have had the slot.
/// The order is written down here a second time: interactive before batch, except batch that has waited for
/// the ageing bound; then by acceptance.
#[derive(Debug)]
pub(super) struct Order {
    ageing_ms: u64,
    view: QueueView,
}

impl Order {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            ageing_ms: setup.machine.ageing_ms,
            view: QueueView::default(),
        }
    }

    fn key(&self, now: MonoMs, waiter: &Waiter) -> (bool, u64) {
        let late = waiter.priority == Priority::Batch && waiter.since.elapsed(now) < self.ageing_ms;
        (late, waiter.seq.0)
    }
}

impl Checker for Order {
    fn property(&self) -> &'static str {
        "order"
    }

    fn promise(&self) -> &'static str {
        "a slot goes to the first task in the order that fits it: interactive or aged before batch, then by acceptance"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        let Some(looked) = self.view.look(sight) else {
            return Ok(());
        };
        let Sight::Machine { now, .. } = sight else {
            return Ok(());
        };
        for (runs, facts) in &looked.dispatched {
            let passed_over = looked.waiting.iter().find(|waits| {
                waits.fits(facts) && self.key(now.mono, waits) < self.key(now.mono, runs)
            });
            if let Some(waits) = passed_over {
                return Err(format!(
                    "{} was given a slot of {}, and {} is before it",
                    Name(runs.task),
                    facts.name,
                    Name(waits.task)
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::testing::{Bench, setup};

    #[test]
    fn an_order_that_ignores_age_is_seen() {
        let setup = setup();
        let aged = setup.machine.ageing_ms;
        assert!(aged < 60_000);
        let same = Bench::new(&setup, aged, &mut Order::new(&setup)).an_old_one_waits();
        assert_eq!(same, Ok(()));
        let other = Bench::new(&setup, u64::MAX / 4, &mut Order::new(&setup)).an_old_one_waits();
        assert!(other.is_err());
    }
}
