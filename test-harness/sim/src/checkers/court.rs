//! All inside checkers together.

use std::collections::BTreeSet;

use test_harness_history::Violation;

use super::book::Book;
use super::sight::Sight;
use crate::plan::Setup;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The property.
    pub property: &'static str,
    /// What was seen.
    pub detail: String,
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        let about = violation
            .task
            .map(|task| format!("task t{}: ", task.0 & 0xffff))
            .unwrap_or_default();
        Self {
            property: violation.property.name,
            detail: format!("{about}{}", violation.what),
        }
    }
}

/// Watches one property.
pub trait Checker {
    /// Its name.
    fn property(&self) -> &'static str;

    /// What must hold, in a sentence.
    fn promise(&self) -> &'static str;

    /// Is shown something. `book` is what was durable before it.
    ///
    /// # Errors
    /// What is broken, in words.
    fn see(&mut self, sight: &Sight<'_>, book: &Book) -> Result<(), String>;
}

/// All inside checkers.
pub struct Court {
    checkers: Vec<Box<dyn Checker>>,
    book: Book,
}

impl Court {
    /// All of them, for a deployment.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        Self {
            checkers: every(setup),
            book: Book::default(),
        }
    }

    /// Shows something to every checker.
    ///
    /// # Errors
    /// The first thing that is broken.
    pub fn see(&mut self, sight: &Sight<'_>) -> Result<(), Broken> {
        for checker in &mut self.checkers {
            checker.see(sight, &self.book).map_err(|detail| Broken {
                property: checker.property(),
                detail,
            })?;
        }
        if let Sight::Applied { commit, .. } = sight {
            self.book.apply(commit);
        }
        Ok(())
    }

    /// Moves of tasks that were seen, by the names of the states.
    #[must_use]
    pub fn transitions(&self) -> &BTreeSet<(String, String)> {
        self.book.moves()
    }
}

/// Every property that is watched from inside, with its promise.
#[must_use]
pub fn promises(setup: &Setup) -> Vec<(&'static str, &'static str)> {
    every(setup)
        .iter()
        .map(|checker| (checker.property(), checker.promise()))
        .collect()
}

fn every(setup: &Setup) -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(super::epochs::Epochs::default()),
        Box::new(super::quotas::Quotas::new(setup)),
        Box::new(super::recovery_is_live::RecoveryIsLive::new(setup)),
        Box::new(super::released_durable::ReleasedDurable),
        Box::new(super::slots::Slots::new(setup)),
        Box::new(super::processes::Processes::new(setup)),
        Box::new(super::session_budgets::SessionBudgets),
        Box::new(super::order::Order::new(setup)),
        Box::new(super::turns::Turns::new(setup)),
        Box::new(super::starts_in_time::StartsInTime::default()),
        Box::new(super::starvation::Starvation::new(setup)),
        Box::new(super::bounds::Bounds::new(setup)),
        Box::new(super::batches::Batches::default()),
        Box::new(super::bulks::Bulks),
        Box::new(super::reasons::Reasons::new(setup)),
        Box::new(super::orders_carried_out::OrdersCarriedOut::default()),
        Box::new(super::one_set::OneSet::default()),
        Box::new(super::metered_once::MeteredOnce::default()),
        Box::new(super::conservation::Conservation),
        Box::new(super::no_alarm::NoAlarm),
    ]
}
