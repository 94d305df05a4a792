//! Failure on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong with one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not applied, and the store says so.
    NotApplied,
    /// The store cannot say whether it is applied.
    Unknown {
        /// Whether it is.
        applied: bool,
    },
    /// Another owner begins a term just before it.
    Fenced,
    /// A guard does not hold; nothing of it is applied.
    Broken,
}

/// The faults ahead, shared by all clones of a store. Without any, nothing fails.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    commits: VecDeque<Option<Fault>>,
    loads: u32,
    prefetches: u32,
    probes: u32,
}

impl Faults {
    /// The fates of the next commits, after those already planned; `None` lets one pass.
    pub fn plan_commits(&self, fates: impl IntoIterator<Item = Option<Fault>>) {
        self.plan().commits.extend(fates);
    }

    /// The next `times` loads fail, before a term begins.
    pub fn fail_loads(&self, times: u32) {
        self.plan().loads = times;
    }

    /// The next `times` prefetches fail.
    pub fn fail_prefetches(&self, times: u32) {
        self.plan().prefetches = times;
    }

    /// The next `times` probes cannot tell, and begin no term.
    pub fn fail_probes(&self, times: u32) {
        self.plan().probes = times;
    }

    /// Plans nothing any more.
    pub fn clear(&self) {
        *self.plan() = Plan::default();
    }

    pub(crate) fn next_commit(&self) -> Option<Fault> {
        self.plan().commits.pop_front().flatten()
    }

    pub(crate) fn next_load_fails(&self) -> bool {
        take_one(&mut self.plan().loads)
    }

    pub(crate) fn next_prefetch_fails(&self) -> bool {
        take_one(&mut self.plan().prefetches)
    }

    pub(crate) fn next_probe_fails(&self) -> bool {
        take_one(&mut self.plan().probes)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_one(left: &mut u32) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}
