//! What waits for a time of the wall clock.

use std::collections::BTreeSet;

use crate::id::TaskId;
use crate::time::WallMs;

/// Tasks that wait for their time, the earliest first. The wall clock may be set, so that these are no alarms of the
/// clock that only goes forward: they are looked at whenever the machine is awake.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Schedule(BTreeSet<(WallMs, TaskId)>);

impl Schedule {
    /// A task waits.
    pub(crate) fn add(&mut self, at: WallMs, task: TaskId) {
        self.0.insert((at, task));
    }

    /// A task waits no more.
    pub(crate) fn remove(&mut self, at: WallMs, task: TaskId) {
        self.0.remove(&(at, task));
    }

    /// One whose time has come, the earliest first.
    pub(crate) fn pop_due(&mut self, now: WallMs) -> Option<TaskId> {
        let (at, task) = *self.0.first().filter(|(at, _)| *at <= now)?;
        self.remove(at, task);
        Some(task)
    }

    /// The earliest time.
    pub(crate) fn first(&self) -> Option<WallMs> {
        self.0.first().map(|(at, _)| *at)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
