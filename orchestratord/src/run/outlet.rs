//! Carries out what the machine decided, once it is durable.

use std::collections::{HashMap, HashSet};

use orchestrator_core::effect::Effect;
use orchestrator_core::id::TaskId;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use store::{Commit, Payload};
use tokio::runtime::Handle;

use super::attempts::Attempts;
use super::relief::relief;
use super::reports::OwnerReporter;
use crate::owner::{Notice, Outlet};
use crate::telemetry::Meter;

/// Attempts, their streams and metrics, as the owner's outlet.
pub struct RunOutlet {
    attempts: Attempts<OwnerReporter>,
    meter: Meter,
    runtime: Handle,
    /// Prompts of the tasks that were accepted and dispatched in the last batch.
    prompts: HashMap<TaskId, String>,
}

impl RunOutlet {
    /// An outlet to these, in a process whose connections run on `runtime`.
    #[must_use]
    pub fn new(attempts: Attempts<OwnerReporter>, meter: Meter, runtime: Handle) -> Self {
        Self {
            attempts,
            meter,
            runtime,
            prompts: HashMap::new(),
        }
    }
}

impl Outlet for RunOutlet {
    fn effect(&mut self, effect: Effect) {
        if let Effect::AttemptStart(order) = &effect
            && order.changes_model
        {
            self.meter.model_changed(&order.replica);
        }
        self.attempts.carry_out(effect, &mut self.prompts);
    }

    fn committed(&mut self, commit: &Commit) {
        self.meter.committed(&commit.mutations);
        // What was ordered is carried out before the next batch; of what was not, nothing is kept.
        self.prompts = prompts_at_hand(commit);
    }

    fn relief(&self) -> Box<dyn Fn() + Send + Sync> {
        Box::new(relief(&self.runtime))
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::ClassesRetired { classes, tasks } => {
                tracing::warn!(
                    tasks,
                    classes = joined(&classes),
                    "tasks wait in classes that are configured no more: they come last, at weight 1; name the classes again, or let them run out"
                );
            }
            Notice::ClassesRetiredOfKeys { classes, keys } => {
                tracing::warn!(
                    keys,
                    classes = joined(&classes),
                    "keys in force have a highest class that is configured no more: their tasks wait in the least urgent class; name the classes again, or make other keys with `orch key create --class-max` and revoke these"
                );
            }
            Notice::CommitDelayed {
                commit_seq,
                tries,
                detail,
            } => {
                tracing::warn!(
                    commit_seq,
                    tries,
                    detail,
                    "a commit was not applied, and is tried again"
                );
            }
            Notice::CommitResolved {
                commit_seq,
                applied,
                epoch,
            } => {
                tracing::warn!(
                    commit_seq,
                    applied,
                    epoch = epoch.0,
                    "the outcome of a commit was found out"
                );
            }
            Notice::CommitUnknown { commit_seq, detail } => {
                tracing::warn!(commit_seq, detail, "the outcome of a commit is unknown");
            }
            Notice::PrefetchFailed { detail } => {
                tracing::warn!(detail, "ended tasks could not be looked up");
            }
            Notice::RecoveryFailed { detail } => {
                tracing::error!(detail, "the owner could not recover, and tries again");
            }
            Notice::Recovered { epoch, live_tasks } => {
                tracing::info!(epoch = epoch.0, live_tasks, "the owner's term has begun");
            }
            Notice::SteppedDown {
                detail,
                alarm: true,
            } => {
                tracing::error!(
                    detail,
                    "owner and store disagree: a bug; please report it with this log"
                );
            }
            Notice::SteppedDown {
                detail,
                alarm: false,
            } => {
                tracing::warn!(detail, "the owner has stepped down");
            }
        }
    }
}

/// Names of classes, as a line of the log has them.
fn joined(classes: &[ClassName]) -> String {
    let names: Vec<&str> = classes.iter().map(ClassName::as_str).collect();
    names.join(", ")
}

/// Prompts of the tasks that a batch both accepts and dispatches. Their attempts need not read what has just been
/// written.
fn prompts_at_hand(commit: &Commit) -> HashMap<TaskId, String> {
    let dispatched = commit
        .mutations
        .iter()
        .filter_map(|mutation| match mutation {
            Mutation::AttemptInsert(attempt) => Some(attempt.task),
            _ => None,
        });
    let dispatched: HashSet<TaskId> = dispatched.collect();
    if dispatched.is_empty() {
        return HashMap::new();
    }
    let accepted = commit
        .mutations
        .iter()
        .filter_map(|mutation| match mutation {
            Mutation::TaskInsert { record, body } if dispatched.contains(&record.id) => {
                match commit.payloads.get(body) {
                    Some(Payload::Body(body)) => Some((record.id, body.prompt.clone())),
                    _ => None,
                }
            }
            _ => None,
        });
    accepted.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use orchestrator_core::id::{Epoch, PayloadRef, ReplyToken};
    use orchestrator_core::input::{Command, Input};
    use orchestrator_core::machine::{Machine, Output, Recovered};
    use orchestrator_core::queue::ClassName;
    use orchestrator_core::time::{MonoMs, Now, WallMs};
    use store::TaskBody;

    use super::*;
    use crate::owner::Dice;
    use crate::owner::tests::things::{config, create, ready};

    #[test]
    fn a_batch_has_the_prompts_of_what_it_accepts_and_dispatches() {
        let now = Now {
            mono: MonoMs(0),
            wall: WallMs(1),
        };
        let mut machine = Machine::recover(config(), now, Recovered::default());
        let mut dice = Dice::from_seed(1);
        let asked = (1..=4).map(|id| {
            let mut ask = create(id, ClassName::INTERACTIVE);
            if let orchestrator_core::input::Ask::TaskCreate { create, .. } = &mut ask {
                create.body = PayloadRef(id as u64);
            }
            let reply = ReplyToken(id as u64);
            Input::Command(Command { reply, ask })
        });
        // The replica takes two at once.
        for input in [Input::Report(ready())].into_iter().chain(asked) {
            machine.step(now, &mut dice, input);
        }
        let mutations = std::iter::from_fn(|| machine.poll()).filter_map(|output| match output {
            Output::Persist(mutation) => Some(mutation),
            _ => None,
        });
        let body = |id: u64| {
            let body = TaskBody {
                prompt: format!("prompt {id}"),
                metadata: vec![],
            };
            (PayloadRef(id), Payload::Body(body))
        };
        let commit = Commit {
            epoch: Epoch(1),
            commit_seq: 1,
            at: WallMs(1),
            mutations: mutations.collect(),
            payloads: (1..=4).map(body).collect(),
            events: vec![],
        };
        let expected = (1..=2).map(|id| (TaskId(id), format!("prompt {id}")));
        assert_eq!(prompts_at_hand(&commit), expected.collect());
        let later = Commit {
            mutations: vec![],
            ..commit
        };
        assert_eq!(prompts_at_hand(&later), HashMap::new());
    }
}
