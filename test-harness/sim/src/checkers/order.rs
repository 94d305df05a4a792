//! The oracle of admission: who is next.

use orchestrator_core::time::MonoMs;

use super::book::Book;
use super::court::Checker;
use super::queue_view::{QueueView, Waiter};
use super::sight::Sight;
use crate::plan::{Bands, Setup};
use crate::story::Name;

/// Watches that nobody is dispatched before somebody who is before it in the order and could have had the slot.
/// The order is written down here a second time: band by band, and what is due in the first; inside a class by when
/// each is due, then by acceptance. Between classes in one band the share decides, which the machine's own
/// tests hold against an oracle; so does who goes first of those that want different models of one process, which
/// [`super::turns`] watches.
#[derive(Debug)]
pub(super) struct Order {
    ageing_ms: u64,
    /// Of each daemon.
    bands: Vec<Bands>,
    view: QueueView,
}

impl Order {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            ageing_ms: setup.machine.ageing_ms,
            bands: setup.bands(),
            view: QueueView::default(),
        }
    }
}

/// Is `one` surely before `other`?
pub(super) fn surely_before(
    bands: &Bands,
    ageing_ms: u64,
    now: MonoMs,
    one: &Waiter,
    other: &Waiter,
) -> bool {
    let band = |waiter: &Waiter| bands.of(waiter.priority, waiter.is_due(ageing_ms, now));
    let turn = |waiter: &Waiter| (waiter.due(ageing_ms), waiter.seq);
    let same_class = one.priority == other.priority;
    band(one) < band(other) || (same_class && turn(one) < turn(other))
}

impl Checker for Order {
    fn property(&self) -> &'static str {
        "order"
    }

    fn promise(&self) -> &'static str {
        "a slot goes to the first task in the order that fits it: band by band and what is due in the first, in a \
         class by when each is due, then by acceptance"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        let Some(looked) = self.view.look(sight) else {
            return Ok(());
        };
        let Sight::Machine { daemon, now, .. } = sight else {
            return Ok(());
        };
        let bands = &self.bands[*daemon];
        for (runs, facts) in &looked.dispatched {
            let passed_over = looked.waiting.iter().find(|waits| {
                waits.fits(facts) && surely_before(bands, self.ageing_ms, now.mono, waits, runs)
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

    #[test]
    fn who_may_run_there_only_afterwards_was_not_passed_over() {
        let setup = setup();
        let mut order = Order::new(&setup);
        let seen = Bench::one_is_let_go_after_a_dispatch(&setup, &mut order);
        assert_eq!(seen, Ok(()));
    }
}
