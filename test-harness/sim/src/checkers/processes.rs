//! A process holds one model at a time.

use std::collections::BTreeMap;

use orchestrator_core::id::{ProcessName, ReplicaName};

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::plan::Setup;

/// Watches that of the replicas of a process only one has live attempts.
#[derive(Debug)]
pub(super) struct Processes {
    process_of: BTreeMap<ReplicaName, ProcessName>,
}

impl Processes {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            process_of: process_of(setup),
        }
    }
}

/// For each replica the process that it really lives in.
pub(super) fn process_of(setup: &Setup) -> BTreeMap<ReplicaName, ProcessName> {
    let replicas = setup.replicas.iter();
    replicas
        .map(|replica| (replica.name.clone(), replica.process.clone()))
        .collect()
}

impl Checker for Processes {
    fn property(&self) -> &'static str {
        "one model a process"
    }

    fn promise(&self) -> &'static str {
        "of the replicas of a process only one has durable live attempts at a time"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        let Sight::Applied { durable, .. } = sight else {
            return Ok(());
        };
        let mut generates: BTreeMap<&ProcessName, &ReplicaName> = BTreeMap::new();
        for row in &durable.attempts {
            let Some(process) = self.process_of.get(&row.replica) else {
                continue;
            };
            let other = generates.insert(process, &row.replica);
            if let Some(other) = other.filter(|other| **other != row.replica) {
                return Err(format!(
                    "{process} has attempts of {other} and of {} at once",
                    row.replica
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::testing::{attempt, commit, loaded, one_process};

    #[test]
    fn two_models_at_once_in_one_process_are_seen() {
        let setup = one_process();
        let mut checker = Processes::new(&setup);
        let one = commit(1, 1, vec![]);
        let mut durable = loaded(vec![]);
        for (number, outcome) in [(0, Ok(())), (0, Ok(())), (1, Err(()))] {
            let name = &setup.replicas[number].name;
            let id = durable.attempts.len() as u128 + 1;
            durable.attempts.push(attempt(id, name));
            let applied = Sight::Applied {
                at: 0,
                daemon: 0,
                commit: &one,
                durable: &durable,
            };
            let seen = checker.see(&applied, &Book::default());
            assert_eq!(seen.map_err(|_| ()), outcome);
        }
    }
}
