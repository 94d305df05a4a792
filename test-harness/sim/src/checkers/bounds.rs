//! Memory and mutations are bounded.

use orchestrator_core::machine::{MUTATIONS_PER_STEP_MAX, MachineConfig};
use orchestrator_core::queue::{ClassLimit, FullPolicy};
use orchestrator_core::task::{Priority, TaskRecord, TaskState};

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::plan::Setup;

/// Watches the size of commits and of the front door.
#[derive(Debug)]
pub(super) struct Bounds {
    config: MachineConfig,
    batch_mutations: usize,
}

impl Bounds {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            config: setup.machine.clone(),
            batch_mutations: setup.limits.batch_mutations,
        }
    }

    fn limit(&self, priority: Priority) -> ClassLimit {
        match priority {
            Priority::Batch => self.config.batch,
            Priority::Interactive => self.config.interactive,
        }
    }
}

impl Checker for Bounds {
    fn property(&self) -> &'static str {
        "bounded memory and mutations"
    }

    fn promise(&self) -> &'static str {
        "a commit has no more mutations than its batch may take and one step may add, and no class holds more \
         newcomers than its capacity"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        let Sight::Applied {
            commit, durable, ..
        } = sight
        else {
            return Ok(());
        };
        // Each of the last steps of a batch may add a step's worth, and a recovery's reports are stepped at once.
        let most = self.batch_mutations + MUTATIONS_PER_STEP_MAX;
        if commit.mutations.len() > most {
            return Err(format!(
                "commit {} has {} mutations, {most} at most",
                commit.commit_seq,
                commit.mutations.len()
            ));
        }
        let classes = [Priority::Batch, Priority::Interactive];
        let newcomers = |priority: Priority| {
            let waits = |row: &&TaskRecord| row.state == TaskState::Queued && row.attempts == 0;
            let of_class = |row: &&TaskRecord| row.spec.priority == priority;
            durable.tasks.iter().filter(of_class).filter(waits).count()
        };
        let places = |priority| self.limit(priority).capacity.max(1) as usize;
        for priority in classes {
            // A class that sheds may also stand in the places of less urgent ones.
            let may_borrow = self.limit(priority).full == FullPolicy::ShedLowPriority;
            let capacity = match may_borrow {
                true => classes.into_iter().map(places).sum(),
                false => places(priority),
            };
            if newcomers(priority) > capacity {
                return Err(format!(
                    "{} {} tasks wait that have never run, and the capacity is {capacity}",
                    newcomers(priority),
                    priority.name()
                ));
            }
        }
        let (all, most) = (
            classes.into_iter().map(newcomers).sum::<usize>(),
            classes.into_iter().map(places).sum::<usize>(),
        );
        if all > most {
            return Err(format!(
                "{all} tasks wait that have never run, and there is room for {most}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::testing::{commit, loaded, setup, task};

    #[test]
    fn a_queue_beyond_its_capacity_is_seen() {
        let mut setup = setup();
        setup.machine.batch.capacity = 1;
        setup.machine.interactive.capacity = 1;
        let mut checker = Bounds::new(&setup);
        let one = commit(1, 1, vec![]);
        let durable = loaded((1..=5).map(|seq| task(seq, TaskState::Queued)).collect());
        let applied = Sight::Applied {
            at: 0,
            daemon: 0,
            commit: &one,
            durable: &durable,
        };
        assert!(checker.see(&applied, &Book::default()).is_err());
    }
}
