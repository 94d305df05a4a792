//! Nobody starves.

use super::book::Book;
use super::court::Checker;
use super::queue_view::QueueView;
use super::sight::Sight;
use crate::plan::{Bands, Setup};
use crate::story::Name;

/// Watches that no task is overtaken in its class by one that was accepted after it had waited for the ageing bound,
/// and that a task that is due waits for nothing that is not in the first band.
#[derive(Debug)]
pub(super) struct Starvation {
    ageing_ms: u64,
    /// Of each daemon.
    bands: Vec<Bands>,
    view: QueueView,
}

impl Starvation {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            ageing_ms: setup.machine.ageing_ms,
            bands: setup.bands(),
            view: QueueView::default(),
        }
    }
}

impl Checker for Starvation {
    fn property(&self) -> &'static str {
        "starvation bound"
    }

    fn promise(&self) -> &'static str {
        "a task that has waited for the ageing bound is overtaken by nobody of its class who was accepted since, and \
         by none that is in another band than the first and not due"
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
            let starved = looked.waiting.iter().find(|waits| {
                let waited = waits.since.elapsed(now.mono);
                let since = runs.since.elapsed(now.mono);
                let accepted_since = waited >= since.saturating_add(self.ageing_ms);
                let is_young = !bands.is_first(runs.priority) && since < self.ageing_ms;
                let overtakes = runs.priority == waits.priority && accepted_since
                    || is_young && !runs.has_deadline() && waited >= self.ageing_ms;
                overtakes && waits.fits(facts)
            });
            if let Some(waits) = starved {
                return Err(format!(
                    "{} has waited for {} ms, and {} overtakes it on {}",
                    Name(waits.task),
                    waits.since.elapsed(now.mono),
                    Name(runs.task),
                    facts.name
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
    fn a_task_that_is_overtaken_after_the_bound_is_seen() {
        let setup = setup();
        let aged = setup.machine.ageing_ms;
        assert!(aged < 60_000);
        let same = Bench::new(&setup, aged, &mut Starvation::new(&setup)).an_old_one_waits();
        assert_eq!(same, Ok(()));
        let other =
            Bench::new(&setup, u64::MAX / 4, &mut Starvation::new(&setup)).an_old_one_waits();
        assert!(other.is_err());
    }
}
