//! One alarm for each name, in order of time.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{AttemptId, SessionKey, TaskId};
use crate::time::MonoMs;

/// What an alarm is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Timer {
    /// The pause of a waiting task is over.
    Backoff(TaskId),
    /// A cancel was not confirmed in time.
    CancelOverdue(TaskId),
    /// A task's deadline passes.
    Deadline(TaskId),
    /// The last reader of a task has been gone for long enough.
    Disconnect(TaskId),
    /// An attempt's lease runs out.
    Lease(AttemptId),
    /// A session runs out.
    Session(SessionKey),
}

/// All alarms that are set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Timers {
    by_time: BTreeSet<(MonoMs, Timer)>,
    by_name: BTreeMap<Timer, MonoMs>,
}

impl Timers {
    /// Sets an alarm, in place of the one of the same name.
    pub(crate) fn set(&mut self, timer: Timer, at: MonoMs) {
        if let Some(before) = self.by_name.insert(timer, at) {
            self.by_time.remove(&(before, timer));
        }
        self.by_time.insert((at, timer));
    }

    /// Takes an alarm back, if it is set.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.by_name.remove(&timer) {
            self.by_time.remove(&(at, timer));
        }
    }

    /// When an alarm is set for.
    pub(crate) fn at(&self, timer: Timer) -> Option<MonoMs> {
        self.by_name.get(&timer).copied()
    }

    /// When the first is due.
    pub(crate) fn first(&self) -> Option<MonoMs> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes one that is due, the earliest first.
    pub(crate) fn pop_due(&mut self, now: MonoMs) -> Option<Timer> {
        let (at, timer) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{SessionId, TenantId};

    #[test]
    fn the_newest_setting_counts() {
        let lease = Timer::Lease(AttemptId(1));
        let mut timers = Timers::default();
        timers.set(lease, MonoMs(10));
        timers.set(lease, MonoMs(20));
        assert_eq!(timers.pop_due(MonoMs(15)), None);
        assert_eq!(timers.first(), Some(MonoMs(20)));
        assert_eq!(timers.pop_due(MonoMs(20)), Some(lease));
        assert_eq!(timers.first(), None);
    }

    #[test]
    fn due_ones_come_in_order_of_time() {
        let mut timers = Timers::default();
        timers.set(Timer::Backoff(TaskId(2)), MonoMs(5));
        timers.set(Timer::Backoff(TaskId(1)), MonoMs(7));
        let session = SessionKey::new(TenantId::DEFAULT, SessionId(1));
        timers.set(Timer::Session(session), MonoMs(6));
        timers.clear(Timer::Session(session));
        assert_eq!(timers.pop_due(MonoMs(9)), Some(Timer::Backoff(TaskId(2))));
        assert_eq!(timers.pop_due(MonoMs(9)), Some(Timer::Backoff(TaskId(1))));
        assert_eq!(timers.pop_due(MonoMs(9)), None);
    }
}
