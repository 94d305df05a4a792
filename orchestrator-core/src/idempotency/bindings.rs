//! The keys that are kept, by key and by age.

use std::collections::{BTreeMap, VecDeque};

use crate::id::TaskId;
use crate::idempotency::{IdempotencyKey, IdempotencyRecord};
use crate::time::{AgeMs, MonoMs, Now};

/// Most keys that one piece of background work forgets.
pub(super) const FORGET_MAX: usize = 32;

/// Every key that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bindings {
    /// Number of the oldest that is kept.
    first: u64,
    /// Oldest first, numbered without gaps.
    by_age: VecDeque<Kept>,
    /// The number under which each is kept.
    by_key: BTreeMap<IdempotencyKey, u64>,
    retention_ms: u64,
    keys_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Kept {
    record: IdempotencyRecord,
    /// When it was bound, by the clock that only goes forward. Soft.
    since: AgeMs,
}

impl Bindings {
    pub(crate) fn new(retention_ms: u64, keys_max: usize) -> Self {
        Self {
            first: 1,
            by_age: VecDeque::new(),
            by_key: BTreeMap::new(),
            retention_ms,
            keys_max: keys_max.max(1),
        }
    }

    /// The task that a key stands for.
    pub(crate) fn task(&self, key: IdempotencyKey) -> Option<TaskId> {
        let number = self.by_key.get(&key)?;
        let place = usize::try_from(number - self.first).ok()?;
        Some(self.by_age.get(place)?.record.task)
    }

    /// Binds a key that is not bound.
    pub(crate) fn bind(
        &mut self,
        now: Now,
        key: IdempotencyKey,
        task: TaskId,
    ) -> IdempotencyRecord {
        let record = IdempotencyRecord {
            number: self.first + self.by_age.len() as u64,
            key,
            task,
            at: now.wall,
        };
        self.keep(record, AgeMs::at(now.mono));
        record
    }

    /// Takes in what the store holds, in the order of numbers. A clock that was set back makes a key younger, and
    /// so does none of the others older than those bound before it.
    pub(crate) fn restore(&mut self, now: Now, records: Vec<IdempotencyRecord>) {
        if let Some(oldest) = records.first() {
            self.first = oldest.number;
        }
        let mut youngest = AgeMs(i64::MIN);
        for record in records {
            youngest = youngest.max(AgeMs::of_wall(now, record.at));
            self.keep(record, youngest);
        }
    }

    fn keep(&mut self, record: IdempotencyRecord, since: AgeMs) {
        self.by_key.insert(record.key, record.number);
        self.by_age.push_back(Kept { record, since });
    }

    /// Forgets some of those that are due, the oldest first; the number of the last one. `None` if none is due.
    pub(crate) fn forget(&mut self, now: MonoMs) -> Option<u64> {
        let before = self.by_age.len();
        while self.is_due(now) && before - self.by_age.len() < FORGET_MAX {
            if let Some(kept) = self.by_age.pop_front() {
                self.by_key.remove(&kept.record.key);
                self.first = kept.record.number + 1;
            }
        }
        (self.by_age.len() < before).then(|| self.first - 1)
    }

    /// True if the oldest has been kept for long enough, or too many are kept.
    pub(crate) fn is_due(&self, now: MonoMs) -> bool {
        self.due().is_some_and(|at| at <= now)
    }

    /// When the oldest is to be forgotten.
    pub(crate) fn due(&self) -> Option<MonoMs> {
        let oldest = self.by_age.front()?;
        if self.by_age.len() > self.keys_max {
            return Some(MonoMs(0));
        }
        let at = oldest.since.after(self.retention_ms);
        Some(MonoMs(u64::try_from(at.0).unwrap_or(0)))
    }

    /// What is kept, oldest first.
    pub(crate) fn records(&self) -> impl Iterator<Item = &IdempotencyRecord> {
        self.by_age.iter().map(|kept| &kept.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::WallMs;

    fn at(ms: u64) -> Now {
        Now {
            mono: MonoMs(ms),
            wall: WallMs(1_000_000 + ms),
        }
    }

    fn bindings(keys: u64, keys_max: usize) -> Bindings {
        let mut bindings = Bindings::new(1_000, keys_max);
        for n in 1..=keys {
            bindings.bind(at(n), IdempotencyKey(n.into()), TaskId(n.into()));
        }
        bindings
    }

    #[test]
    fn a_key_is_kept_for_its_time_and_forgotten_in_pieces() {
        let mut bindings = bindings(100, 1_000);
        assert_eq!(bindings.due(), Some(MonoMs(1_001)));
        assert_eq!(bindings.forget(MonoMs(1_000)), None);
        assert_eq!(bindings.forget(MonoMs(1_002)), Some(2));
        assert_eq!(bindings.task(IdempotencyKey(2)), None);
        assert_eq!(bindings.task(IdempotencyKey(3)), Some(TaskId(3)));
        assert_eq!(bindings.forget(MonoMs(9_000)), Some(34));
        assert_eq!(bindings.forget(MonoMs(9_000)), Some(66));
        assert_eq!(bindings.forget(MonoMs(9_000)), Some(98));
        assert_eq!(bindings.forget(MonoMs(9_000)), Some(100));
        assert_eq!(
            (bindings.due(), bindings.forget(MonoMs(9_000))),
            (None, None)
        );
        let next = bindings.bind(at(9_000), IdempotencyKey(1), TaskId(7));
        assert_eq!(next.number, 101);
    }

    #[test]
    fn beyond_the_bound_the_oldest_is_forgotten_at_once() {
        let mut bindings = bindings(5, 3);
        assert_eq!(bindings.due(), Some(MonoMs(0)));
        assert_eq!(bindings.forget(MonoMs(5)), Some(2));
        assert_eq!(bindings.task(IdempotencyKey(3)), Some(TaskId(3)));
        assert_eq!(bindings.due(), Some(MonoMs(1_003)));
    }

    #[test]
    fn after_a_recovery_the_wall_clock_says_how_much_is_left() {
        let records: Vec<_> = bindings(3, 9).records().copied().collect();
        let mut again = Bindings::new(1_000, 9);
        // Another process: its clock begins anew, 900 ms after the first was bound.
        let now = Now {
            mono: MonoMs(0),
            wall: WallMs(1_000_901),
        };
        again.restore(now, records.clone());
        assert!(again.records().eq(&records));
        assert_eq!(again.due(), Some(MonoMs(100)));
        assert_eq!(again.task(IdempotencyKey(3)), Some(TaskId(3)));
    }

    #[test]
    fn a_clock_set_back_makes_no_key_older() {
        let mut records: Vec<_> = bindings(2, 9).records().copied().collect();
        records[1].at = WallMs(5);
        let mut again = Bindings::new(1_000, 9);
        again.restore(at(2), records);
        assert_eq!(again.due(), Some(MonoMs(1_001)));
    }
}
