//! Slots are never exceeded.

use std::collections::BTreeMap;

use orchestrator_core::id::ReplicaName;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::plan::Setup;

/// Watches that no replica has more live attempts than it really has slots.
#[derive(Debug)]
pub(super) struct Slots {
    real: BTreeMap<ReplicaName, u32>,
}

impl Slots {
    pub(super) fn new(setup: &Setup) -> Self {
        let real = setup
            .replicas
            .iter()
            .map(|replica| (replica.name.clone(), replica.slots));
        Self {
            real: real.collect(),
        }
    }
}

impl Checker for Slots {
    fn property(&self) -> &'static str {
        "slots never exceeded"
    }

    fn promise(&self) -> &'static str {
        "no replica ever has more durable live attempts than slots"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        let Sight::Applied { durable, .. } = sight else {
            return Ok(());
        };
        let mut taken: BTreeMap<&ReplicaName, u32> = BTreeMap::new();
        for row in &durable.attempts {
            *taken.entry(&row.replica).or_default() += 1;
        }
        for (replica, taken) in taken {
            let slots = self.real.get(replica).copied().unwrap_or(0);
            if taken > slots {
                return Err(format!("{replica} has {slots} slots and {taken} attempts"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::testing::{attempt, commit, loaded, setup};

    #[test]
    fn one_attempt_too_many_is_seen() {
        let setup = setup();
        let mut checker = Slots::new(&setup);
        let slots = setup.replicas[0].slots;
        let one = commit(1, 1, vec![]);
        let mut durable = loaded(vec![]);
        for number in 0..=u128::from(slots) {
            let applied = Sight::Applied {
                at: 0,
                daemon: 0,
                commit: &one,
                durable: &durable,
            };
            assert_eq!(checker.see(&applied, &Book::default()), Ok(()));
            durable
                .attempts
                .push(attempt(number + 1, &setup.replicas[0].name));
        }
        let applied = Sight::Applied {
            at: 0,
            daemon: 0,
            commit: &one,
            durable: &durable,
        };
        assert!(checker.see(&applied, &Book::default()).is_err());
    }
}
