//! Makes a failure short: leaves out faults, then operations, then time, for as long as the same property
//! breaks.

use std::rc::Rc;

use crate::agenda::{MILLI, SECOND};
use crate::plan::{Operation, Plan, Timed, Want};
use crate::plant::Plant;
use crate::world::{Outcome, World};

/// The shortest plan found that still breaks the property, and how it ends.
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// Its run.
    pub outcome: Outcome,
    /// Runs that were tried.
    pub tries: u32,
}

struct Search {
    property: &'static str,
    plant: Option<Plant>,
    best: Plan,
    outcome: Outcome,
    tries: u32,
    left: u32,
}

/// Shortens a plan that breaks a property, with so many runs at most. None if it breaks nothing.
#[must_use]
pub fn shrink(plan: Plan, plant: Option<Plant>, runs: u32) -> Option<Shrunk> {
    let outcome = World::new(&Rc::new(plan.clone()), plant, false).run();
    let property = outcome.broken.as_ref()?.property;
    let mut search = Search {
        property,
        plant,
        best: plan,
        outcome,
        tries: 1,
        left: runs,
    };
    search.run();
    Some(Shrunk {
        plan: search.best,
        outcome: search.outcome,
        tries: search.tries,
    })
}

impl Search {
    fn run(&mut self) {
        loop {
            let before = self.size();
            self.thin(|plan| &mut plan.faults);
            self.drop_tasks();
            self.thin(|plan| &mut plan.operations);
            self.simplify_faults();
            self.shorten();
            if self.size() >= before || self.left == 0 {
                return;
            }
        }
    }

    fn size(&self) -> (usize, usize, u64) {
        (
            self.best.faults.len(),
            self.best.operations.len(),
            self.best.chaos,
        )
    }

    /// Tries a plan; keeps it if it breaks the same property.
    fn attempt(&mut self, plan: Plan) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.tries += 1;
        let outcome = World::new(&Rc::new(plan.clone()), self.plant, false).run();
        let same = outcome
            .broken
            .as_ref()
            .is_some_and(|broken| broken.property == self.property);
        if same {
            self.best = plan;
            self.outcome = outcome;
        }
        same
    }

    /// Leaves out runs of entries, long ones first.
    fn thin<T: Clone>(&mut self, list: impl Fn(&mut Plan) -> &mut Vec<T>) {
        let mut length = list(&mut self.best.clone()).len();
        while length > 0 {
            let mut from = 0;
            while from < list(&mut self.best.clone()).len() {
                let mut plan = self.best.clone();
                let entries = list(&mut plan);
                let to = entries.len().min(from + length);
                entries.drain(from..to);
                if !self.attempt(plan) {
                    from += length;
                }
            }
            length /= 2;
        }
    }

    /// Leaves out tasks with all that is done to them.
    fn drop_tasks(&mut self) {
        let tasks: Vec<usize> = self
            .best
            .operations
            .iter()
            .flat_map(|operation| match &operation.want {
                Want::Submit { task, .. } => vec![*task],
                Want::SubmitMany { items } => items.iter().map(|item| item.task).collect(),
                _ => Vec::new(),
            })
            .collect();
        for task in tasks {
            let mut plan = self.best.clone();
            plan.operations
                .retain_mut(|operation| match &mut operation.want {
                    Want::SubmitMany { items } => {
                        items.retain(|item| item.task != task);
                        !items.is_empty()
                    }
                    _ => of(operation) != Some(task),
                });
            self.attempt(plan);
        }
    }

    /// Puts a simpler fault in the place of each.
    fn simplify_faults(&mut self) {
        for number in 0..self.best.faults.len() {
            let Timed { at, fault } = self.best.faults[number].clone();
            let mut plan = self.best.clone();
            plan.faults[number] = Timed {
                at: at / SECOND * SECOND,
                fault,
            };
            plan.faults.sort_by_key(|timed| timed.at);
            if plan.faults != self.best.faults {
                self.attempt(plan);
            }
        }
    }

    /// Lets the faults end sooner.
    fn shorten(&mut self) {
        let last = self.best.faults.iter().map(|timed| timed.at).max();
        for chaos in [last.unwrap_or(0) + MILLI, self.best.chaos / 2] {
            if chaos < self.best.chaos && last.is_none_or(|last| last < chaos) {
                let mut plan = self.best.clone();
                plan.chaos = chaos;
                self.attempt(plan);
            }
        }
    }
}

/// The task that an operation is about.
fn of(operation: &Operation) -> Option<usize> {
    match operation.want {
        Want::Submit { task, .. }
        | Want::Again { task, .. }
        | Want::Cancel { task }
        | Want::Look { task }
        | Want::Requeue { task }
        | Want::Read { task, .. } => Some(task),
        Want::EndSession { .. } | Want::Operate(_) | Want::SubmitMany { .. } => None,
    }
}
