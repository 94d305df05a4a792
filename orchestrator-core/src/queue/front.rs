//! The front door: how many may wait who have never run, and who goes when there are too many.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::id::{AcceptSeq, TaskId};
use crate::queue::class::ClassConfig;
use crate::queue::classes::{ClassRank, Classes};

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

/// Queued tasks that have never been dispatched, by class and accept sequence. A task that comes back after an attempt
/// is not among them, nor is one whose class is configured no more: those are neither counted nor ever a victim.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FrontDoor {
    classes: BTreeMap<ClassRank, BTreeMap<AcceptSeq, TaskId>>,
}

/// What a full class means for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// There is room.
    Room,
    /// There is room once this task has ended.
    Victim(Victim),
    /// There is none in the class.
    Refused(ClassConfig),
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
    pub(crate) fn insert(&mut self, class: ClassRank, seq: AcceptSeq, task: TaskId) {
        self.classes.entry(class).or_default().insert(seq, task);
    }

    /// Takes a task out, if it is there.
    pub(crate) fn remove(&mut self, class: ClassRank, seq: AcceptSeq) {
        let Some(waiting) = self.classes.get_mut(&class) else {
            return;
        };
        waiting.remove(&seq);
        if waiting.is_empty() {
            self.classes.remove(&class);
        }
    }

    /// May one more come into a class that is configured? A class that sheds may hold more than its own capacity, in
    /// places of less urgent ones: from each class on, it and those below never hold more than all their capacities.
    pub(crate) fn admit(&self, class: ClassRank, classes: &Classes) -> Admission {
        let own = classes.get(class).map(|class| class.config);
        let own = own.expect("a newcomer's class is one of those that are configured");
        if self.has_room(class, classes) {
            return Admission::Room;
        }
        let victim = match own.full {
            FullPolicy::DropLru => {
                let mine = self.classes.get(&class);
                mine.and_then(|mine| mine.values().next())
            }
            FullPolicy::Reject => None,
            FullPolicy::ShedLowPriority => {
                let lower = (Bound::Excluded(class), Bound::Unbounded);
                let least = self.classes.range(lower).next_back();
                least.and_then(|(_, least)| least.values().next_back())
            }
        };
        match victim {
            Some(task) => Admission::Victim(Victim {
                task: *task,
                by: own.full,
            }),
            None => Admission::Refused(own),
        }
    }

    fn has_room(&self, class: ClassRank, classes: &Classes) -> bool {
        let (mut held, mut room) = (0, 0);
        for (rank, other) in classes.ranked().rev() {
            let places = places(&other.config);
            let mine = self.held(rank);
            held += mine;
            room += places;
            let is_full = rank == class && mine >= places;
            if is_full || rank <= class && held >= room {
                return false;
            }
        }
        true
    }

    fn held(&self, class: ClassRank) -> usize {
        self.classes.get(&class).map_or(0, BTreeMap::len)
    }
}

fn places(class: &ClassConfig) -> usize {
    class.capacity.max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const URGENT: ClassRank = ClassRank(0);
    const MIDDLE: ClassRank = ClassRank(1);
    const LEAST: ClassRank = ClassRank(2);

    /// Three classes with two places each.
    fn classes(policies: [FullPolicy; 3]) -> Classes {
        let mut all = [
            ClassConfig::interactive(),
            ClassConfig::batch(),
            ClassConfig::batch(),
        ];
        for (class, full) in all.iter_mut().zip(policies) {
            *class = ClassConfig {
                capacity: 2,
                full,
                ..*class
            };
        }
        Classes::new(&all)
    }

    fn door(class: ClassRank, tasks: u64) -> FrontDoor {
        let mut door = FrontDoor::default();
        fill(&mut door, class, 1..=tasks);
        door
    }

    fn fill(door: &mut FrontDoor, class: ClassRank, tasks: impl Iterator<Item = u64>) {
        for seq in tasks {
            door.insert(class, AcceptSeq(seq), TaskId(u128::from(seq)));
        }
    }

    fn goes(task: u128, by: FullPolicy) -> Admission {
        let task = TaskId(task);
        Admission::Victim(Victim { task, by })
    }

    fn refused(admission: Admission) -> bool {
        matches!(admission, Admission::Refused(_))
    }

    #[test]
    fn the_oldest_of_the_class_goes_only_when_it_is_full() {
        let classes = classes([FullPolicy::DropLru; 3]);
        assert_eq!(door(MIDDLE, 1).admit(MIDDLE, &classes), Admission::Room);
        let mut door = door(MIDDLE, 2);
        fill(&mut door, LEAST, 3..=4);
        assert_eq!(door.admit(MIDDLE, &classes), goes(1, FullPolicy::DropLru));
        assert_eq!(door.admit(LEAST, &classes), goes(3, FullPolicy::DropLru));
        assert_eq!(door.admit(URGENT, &classes), Admission::Room);
    }

    #[test]
    fn reject_refuses() {
        let classes = classes([FullPolicy::Reject; 3]);
        assert!(refused(door(MIDDLE, 2).admit(MIDDLE, &classes)));
    }

    #[test]
    fn a_class_that_sheds_takes_the_places_of_the_least_urgent_first_and_no_more() {
        use FullPolicy::{Reject, ShedLowPriority};
        let classes = classes([ShedLowPriority, ShedLowPriority, Reject]);
        let mut door = door(LEAST, 2);
        fill(&mut door, MIDDLE, 3..=4);
        for seq in [11, 12] {
            assert_eq!(door.admit(URGENT, &classes), Admission::Room);
            fill(&mut door, URGENT, seq..=seq);
        }
        for (victim, of, seq) in [(2, LEAST, 13), (1, LEAST, 14), (4, MIDDLE, 15)] {
            let victim_goes = goes(victim.into(), ShedLowPriority);
            assert_eq!(door.admit(URGENT, &classes), victim_goes);
            door.remove(of, AcceptSeq(victim));
            fill(&mut door, URGENT, seq..=seq);
        }
        // The places that were taken are not there for others, and nothing less urgent is left for the middle one.
        assert!(refused(door.admit(MIDDLE, &classes)));
        assert!(refused(door.admit(LEAST, &classes)));
        door.remove(MIDDLE, AcceptSeq(3));
        fill(&mut door, URGENT, 16..=16);
        assert!(refused(door.admit(URGENT, &classes)));
    }

    #[test]
    fn a_class_that_sheds_never_stands_in_places_of_more_urgent_ones() {
        use FullPolicy::{Reject, ShedLowPriority};
        let classes = classes([Reject, ShedLowPriority, Reject]);
        let mut door = door(MIDDLE, 2);
        fill(&mut door, LEAST, 3..=4);
        for victim in [4, 3] {
            let victim_goes = goes(victim.into(), ShedLowPriority);
            assert_eq!(door.admit(MIDDLE, &classes), victim_goes);
            door.remove(LEAST, AcceptSeq(victim));
            fill(&mut door, MIDDLE, victim + 10..=victim + 10);
        }
        // Two places are free, and they are those of the most urgent.
        assert!(refused(door.admit(LEAST, &classes)));
        assert!(refused(door.admit(MIDDLE, &classes)));
        fill(&mut door, URGENT, 21..=21);
        assert_eq!(door.admit(URGENT, &classes), Admission::Room);
    }
}
