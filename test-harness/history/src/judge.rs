//! Runs every checker over one history.

use std::collections::BTreeSet;

use crate::checkers;
use crate::id::TaskId;
use crate::observation::Observation;
use crate::violation::{Property, Violation};

/// Watches one property.
pub trait Checker: Send {
    /// The property.
    fn property(&self) -> Property;

    /// Takes the next observation of a history.
    ///
    /// # Errors
    /// If it breaks the property. The checker goes on as well as it can.
    fn observe(&mut self, seen: &Observation) -> Result<(), Violation>;

    /// What is broken now that the history is over. A history that did not reach
    /// [`Phase::Over`](crate::Phase::Over) is judged only by what it holds, not by what it lacks.
    fn finish(&self) -> Vec<Violation>;
}

/// Runs every checker over one history. Of each property and task it keeps the first violation only: what
/// follows from it would hide it.
pub struct Judge {
    checkers: Vec<Box<dyn Checker>>,
    told: BTreeSet<(&'static str, Option<TaskId>)>,
    violations: Vec<Violation>,
}

impl Default for Judge {
    fn default() -> Self {
        Self {
            checkers: checkers::every(),
            told: BTreeSet::new(),
            violations: Vec::new(),
        }
    }
}

impl Judge {
    /// Shows the next observation to every checker.
    ///
    /// # Errors
    /// The first violation that is new with it.
    pub fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let before = self.violations.len();
        let broken: Vec<Violation> = self
            .checkers
            .iter_mut()
            .filter_map(|checker| checker.observe(seen).err())
            .collect();
        self.keep(broken);
        match self.violations.get(before) {
            None => Ok(()),
            Some(first) => Err(first.clone()),
        }
    }

    /// Everything that was broken so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The history is over: everything that was broken.
    #[must_use]
    pub fn finish(mut self) -> Vec<Violation> {
        let broken: Vec<Violation> = self
            .checkers
            .iter()
            .flat_map(|checker| checker.finish())
            .collect();
        self.keep(broken);
        self.violations
    }

    /// Judges a whole history.
    #[must_use]
    pub fn whole<'h>(history: impl IntoIterator<Item = &'h Observation>) -> Vec<Violation> {
        let mut judge = Self::default();
        for seen in history {
            // What is broken is kept by the judge.
            let _broken = judge.observe(seen);
        }
        judge.finish()
    }

    /// The properties that are watched.
    #[must_use]
    pub fn properties() -> Vec<Property> {
        let checkers = checkers::every();
        checkers.iter().map(|checker| checker.property()).collect()
    }

    fn keep(&mut self, broken: Vec<Violation>) {
        for violation in broken {
            if self.told.insert((violation.property.name, violation.task)) {
                self.violations.push(violation);
            }
        }
    }
}
