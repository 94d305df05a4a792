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
    /// The newcomer is accepted, and of the least urgent class below its own that has tasks waiting, the one that
    /// was accepted last ends. Refused if nothing less urgent waits.
    ShedLowPriority,
}

/// Bound of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClassLimit {
    /// Most tasks that wait and have never run; at least 1 (0 counts as 1).
    pub capacity: u32,
    /// What happens beyond.
    pub full: FullPolicy,
    /// Share of its tenants' tasks in this class beside those in other classes of the same band; at least 1
    /// (0 counts as 1).
    pub weight: u32,
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
    Victim(Victim),
    /// There is none.
    Refused,
}

/// Who goes for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Victim {
    /// Which task.
    pub(crate) task: TaskId,
    /// By which rule.
    pub(crate) by: FullPolicy,
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

    /// May one more come in? A class that sheds may hold more than its own capacity, in places of less urgent
    /// ones; all classes together never hold more than all their capacities.
    pub(crate) fn admit(
        &self,
        priority: Priority,
        limit: impl Fn(Priority) -> ClassLimit,
    ) -> Admission {
        let places = |priority| limit(priority).capacity.max(1) as usize;
        let all: usize = Priority::ALL.into_iter().map(places).sum();
        let waiting: usize = Priority::ALL
            .into_iter()
            .map(|priority| self.class(priority).len())
            .sum();
        if self.class(priority).len() < places(priority) && waiting < all {
            return Admission::Room;
        }
        let by = limit(priority).full;
        let victim = match by {
            FullPolicy::DropLru => self.class(priority).values().next(),
            FullPolicy::Reject => None,
            FullPolicy::ShedLowPriority => Priority::ALL
                .into_iter()
                .rev()
                .take_while(|lower| *lower > priority)
                .find_map(|lower| self.class(lower).values().next_back()),
        };
        match victim {
            Some(task) => Admission::Victim(Victim { task: *task, by }),
            None => Admission::Refused,
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

    fn limits(interactive: FullPolicy, batch: FullPolicy) -> impl Fn(Priority) -> ClassLimit {
        move |priority| ClassLimit {
            capacity: 2,
            full: match priority {
                Priority::Interactive => interactive,
                Priority::Batch => batch,
            },
            weight: 1,
        }
    }

    fn goes(task: u128, by: FullPolicy) -> Admission {
        let task = TaskId(task);
        Admission::Victim(Victim { task, by })
    }

    #[test]
    fn the_oldest_goes_only_when_it_is_full() {
        let limits = limits(FullPolicy::Reject, FullPolicy::DropLru);
        assert_eq!(door(1).admit(Priority::Batch, &limits), Admission::Room);
        assert_eq!(
            door(2).admit(Priority::Batch, &limits),
            goes(1, FullPolicy::DropLru)
        );
        assert_eq!(
            door(2).admit(Priority::Interactive, &limits),
            Admission::Room
        );
    }

    #[test]
    fn reject_refuses() {
        let limits = limits(FullPolicy::Reject, FullPolicy::Reject);
        assert_eq!(door(2).admit(Priority::Batch, &limits), Admission::Refused);
    }

    #[test]
    fn a_class_that_sheds_takes_the_places_of_less_urgent_ones_and_no_more() {
        let limits = limits(FullPolicy::ShedLowPriority, FullPolicy::Reject);
        let mut door = door(2);
        for seq in [11, 12] {
            assert_eq!(door.admit(Priority::Interactive, &limits), Admission::Room);
            door.insert(Priority::Interactive, AcceptSeq(seq), TaskId(seq.into()));
        }
        for (victim, seq) in [(2, 13), (1, 14)] {
            assert_eq!(
                door.admit(Priority::Interactive, &limits),
                goes(victim, FullPolicy::ShedLowPriority)
            );
            door.remove(Priority::Batch, AcceptSeq(u64::try_from(victim).unwrap()));
            door.insert(Priority::Interactive, AcceptSeq(seq), TaskId(seq.into()));
        }
        // Nothing less urgent is left, and the places that were taken are not there for it any more.
        assert_eq!(
            door.admit(Priority::Interactive, &limits),
            Admission::Refused
        );
        assert_eq!(door.admit(Priority::Batch, &limits), Admission::Refused);
    }
}
