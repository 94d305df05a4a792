//! The front door: how many may wait who have never run, and who goes when there are too many.

use std::collections::BTreeMap;

use crate::id::{AcceptSeq, TaskId};
use crate::task::Priority;

/// What happens to a newcomer when its class is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FullPolicy {
    /// The newcomer is accepted; the queued task of the class with the lowest accept sequence ends.
    DropLru,
    /// The newcomer is refused.
    Reject,
}

/// Bound of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClassLimit {
    /// Most tasks that wait and have never run; at least 1 (0 counts as 1).
    pub capacity: u32,
    /// What happens beyond.
    pub full: FullPolicy,
}

/// Queued tasks that have never been dispatched, by class and accept sequence. A task that comes back after
/// an attempt is not among them: it is neither counted nor ever a victim.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FrontDoor {
    interactive: BTreeMap<AcceptSeq, TaskId>,
    batch: BTreeMap<AcceptSeq, TaskId>,
}

/// What a full class means for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// There is room.
    Room,
    /// There is room once this task has ended.
    Victim(TaskId),
    /// There is none.
    Refused,
}

impl FrontDoor {
    /// Adds a task.
    pub(crate) fn insert(&mut self, priority: Priority, seq: AcceptSeq, task: TaskId) {
        self.class_mut(priority).insert(seq, task);
    }

    /// Takes a task out, if it is there.
    pub(crate) fn remove(&mut self, priority: Priority, seq: AcceptSeq) {
        self.class_mut(priority).remove(&seq);
    }

    /// May one more come in?
    pub(crate) fn admit(&self, priority: Priority, limit: ClassLimit) -> Admission {
        let class = self.class(priority);
        if class.len() < limit.capacity.max(1) as usize {
            return Admission::Room;
        }
        match (limit.full, class.first_key_value()) {
            (FullPolicy::DropLru, Some((_, victim))) => Admission::Victim(*victim),
            (FullPolicy::DropLru, None) | (FullPolicy::Reject, _) => Admission::Refused,
        }
    }

    fn class(&self, priority: Priority) -> &BTreeMap<AcceptSeq, TaskId> {
        match priority {
            Priority::Interactive => &self.interactive,
            Priority::Batch => &self.batch,
        }
    }

    fn class_mut(&mut self, priority: Priority) -> &mut BTreeMap<AcceptSeq, TaskId> {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Batch => &mut self.batch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(tasks: u64) -> FrontDoor {
        let mut door = FrontDoor::default();
        for seq in 1..=tasks {
            door.insert(Priority::Batch, AcceptSeq(seq), TaskId(u128::from(seq)));
        }
        door
    }

    #[test]
    fn the_oldest_goes_only_when_it_is_full() {
        let limit = ClassLimit {
            capacity: 2,
            full: FullPolicy::DropLru,
        };
        assert_eq!(door(1).admit(Priority::Batch, limit), Admission::Room);
        assert_eq!(
            door(2).admit(Priority::Batch, limit),
            Admission::Victim(TaskId(1))
        );
        assert_eq!(door(2).admit(Priority::Interactive, limit), Admission::Room);
    }

    #[test]
    fn reject_refuses() {
        let limit = ClassLimit {
            capacity: 2,
            full: FullPolicy::Reject,
        };
        assert_eq!(door(2).admit(Priority::Batch, limit), Admission::Refused);
    }
}
