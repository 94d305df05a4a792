//! Memory and mutations are bounded.

use orchestrator_core::machine::{MUTATIONS_PER_STEP_MAX, MachineConfig};
use orchestrator_core::queue::FullPolicy;
use orchestrator_core::task::{TaskRecord, TaskState};
use store::{Commit, Loaded, Payload};

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::plan::Setup;

/// Watches the size of commits and of the front door.
#[derive(Debug)]
pub(super) struct Bounds {
    config: MachineConfig,
    batch_mutations: usize,
    batch_bytes: usize,
    /// True if a daemon's configuration does not name all classes.
    some_know_less: bool,
    /// Most tasks that are handed over together: they are one input.
    together_max: usize,
}

/// Bytes of a payload, as a batch counts them.
fn size(payload: &Payload) -> usize {
    match payload {
        Payload::Body(body) => {
            let labels = body.metadata.iter();
            body.prompt.len()
                + labels
                    .map(|(key, value)| key.len() + value.len())
                    .sum::<usize>()
        }
        Payload::Text(text) => text.text.len() + text.ends.len() * size_of::<u32>(),
    }
}

impl Bounds {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            config: setup.machine.clone(),
            batch_mutations: setup.limits.batch_mutations,
            batch_bytes: setup.limits.batch_bytes,
            some_know_less: setup.unnamed.is_some(),
            together_max: setup.together_max.max(1),
        }
    }

    /// A batch takes no input once it is full, so it is over by less than what its last input brought: one step, or as
    /// many as tasks are handed over together.
    fn batch(&self, commit: &Commit) -> Result<(), String> {
        let most = self.batch_mutations - 1 + MUTATIONS_PER_STEP_MAX * self.together_max;
        let mutations = commit.mutations.len();
        if mutations > most {
            return Err(format!(
                "commit {} has {mutations} mutations, {most} at most",
                commit.commit_seq
            ));
        }
        let mut sizes: Vec<usize> = commit.payloads.values().map(size).collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        let last = self.together_max;
        let others: usize = sizes.into_iter().skip(last).sum();
        if others >= self.batch_bytes {
            return Err(format!(
                "commit {} has {others} bytes besides its {last} largest payloads, and takes no further input from {} on",
                commit.commit_seq, self.batch_bytes
            ));
        }
        Ok(())
    }

    /// A class holds no more newcomers than its capacity, unless it sheds: then it may stand in the places of less
    /// urgent ones. Classes from any one on hold together no more than they have places for, unless a daemon takes over
    /// that does not know one of them, and counts the others without it.
    fn classes(&self, durable: &Loaded) -> Result<(), String> {
        let (mut held, mut room) = (0, 0);
        for class in self.config.classes.iter().rev() {
            // Whose time came later did not come in at the front door.
            let waits = |row: &&TaskRecord| {
                row.state == TaskState::Queued && row.attempts == 0 && row.scheduled_at().is_none()
            };
            let of_class = |row: &&TaskRecord| row.spec.priority == class.name;
            let newcomers = durable.tasks.iter().filter(of_class).filter(waits).count();
            let places = class.capacity.max(1) as usize;
            held += newcomers;
            room += places;
            if newcomers > places && class.full != FullPolicy::ShedLowPriority {
                return Err(format!(
                    "{newcomers} {} tasks wait that have never run, and the capacity is {places}",
                    class.name
                ));
            }
            if held > room && !self.some_know_less {
                return Err(format!(
                    "{held} tasks of {} and below wait that have never run, and there is room for {room}",
                    class.name
                ));
            }
        }
        Ok(())
    }
}

impl Checker for Bounds {
    fn property(&self) -> &'static str {
        "bounded memory and mutations"
    }

    fn promise(&self) -> &'static str {
        "a commit has no more mutations and bytes than its batch may take and its last input may add, and no class \
         holds more newcomers than its capacity"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        let Sight::Applied {
            commit, durable, ..
        } = sight
        else {
            return Ok(());
        };
        self.batch(commit)?;
        self.classes(durable)
    }
}

#[cfg(test)]
mod tests {
    use orchestrator_core::id::{PayloadRef, SessionId, SessionKey, TenantId};
    use orchestrator_core::mutation::Mutation;
    use store::TaskBody;

    use super::*;
    use crate::checkers::testing::{commit, loaded, setup, task};

    #[test]
    fn a_queue_beyond_its_capacity_is_seen() {
        let mut setup = setup();
        for class in &mut setup.machine.classes {
            class.capacity = 1;
        }
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

    #[test]
    fn a_batch_that_went_on_taking_input_is_seen() {
        let mut setup = setup();
        setup.limits.batch_mutations = 2;
        setup.together_max = 1;
        setup.limits.batch_bytes = 6;
        let checker = Bounds::new(&setup);
        let most = 1 + MUTATIONS_PER_STEP_MAX;
        let rows = |count| {
            vec![Mutation::SessionDelete(SessionKey::new(TenantId::DEFAULT, SessionId(1))); count]
        };
        assert_eq!(checker.batch(&commit(1, 1, rows(most))), Ok(()));
        assert!(checker.batch(&commit(1, 1, rows(most + 1))).is_err());
        let with = |prompts: &[&str]| {
            let mut commit = commit(1, 1, vec![]);
            let body = |prompt: &&str| {
                Payload::Body(TaskBody {
                    prompt: (*prompt).to_owned(),
                    metadata: vec![],
                })
            };
            let payloads = (1..).map(PayloadRef).zip(prompts.iter().map(body));
            commit.payloads = payloads.collect();
            commit
        };
        assert_eq!(checker.batch(&with(&["12345", "a long prompt"])), Ok(()));
        assert!(checker.batch(&with(&["123456", "a long prompt"])).is_err());
        // Two that come together are one input.
        setup.together_max = 2;
        let checker = Bounds::new(&setup);
        assert_eq!(
            checker.batch(&with(&["12345", "a long prompt", "another"])),
            Ok(())
        );
        assert!(
            checker
                .batch(&with(&["123456", "a long prompt", "another"]))
                .is_err()
        );
    }
}
