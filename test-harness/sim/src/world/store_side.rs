//! What happens at the store when a call reaches it.

use std::sync::Arc;

use orchestratord::owner::{StoreAnswer, StoreCall};
use store::{Commit, CommitError, OwnerStore, ReadError};

use super::World;
use super::event::{DaemonEvent, Event};
use crate::agenda::MILLI;
use crate::checkers::Sight;
use crate::plan::{CrashPoint, LateCommit, letter};
use crate::plant::Plant;
use crate::story::Step;

impl World {
    /// A call reaches the store, or the link to it.
    pub(super) fn store_reached(&mut self, daemon: usize, life: u64, call: StoreCall) {
        if !self.daemons[daemon].lives(life) {
            return self.orphan(daemon, &call);
        }
        match self.daemons[daemon].store_cut {
            Some(false) => {
                let again = Event::Store { daemon, life, call };
                self.agenda.add(self.now + 20 * MILLI, again);
            }
            Some(true) => {
                let lost = || "the connection to the store broke".to_owned();
                let answer = match call {
                    StoreCall::Commit(_) => {
                        StoreAnswer::Committed(Err(CommitError::Unknown(lost())))
                    }
                    StoreCall::Load => StoreAnswer::Loaded(Err(ReadError(lost()))),
                    StoreCall::Probe(_) => StoreAnswer::Probed(Err(CommitError::Unknown(lost()))),
                };
                self.answer_from_store(daemon, life, answer);
            }
            None => self.serve_call(daemon, life, call),
        }
    }

    /// A call whose process is gone. It may have reached the store all the same.
    fn orphan(&mut self, daemon: usize, call: &StoreCall) {
        if let StoreCall::Commit(commit) = call
            && self.chance.store.percent(50)
        {
            let applied = self.store.commit_orphaned(commit);
            self.applied(daemon, commit, applied.is_ok());
        }
    }

    fn serve_call(&mut self, daemon: usize, life: u64, call: StoreCall) {
        let answer = match call {
            StoreCall::Commit(commit) => {
                let outcome = self.commit(daemon, &commit);
                let applied = outcome.is_ok();
                if applied && self.crash_here(daemon, CrashPoint::CommitApplied) {
                    return;
                }
                StoreAnswer::Committed(outcome)
            }
            StoreCall::Load => match self.load(daemon, life) {
                Some(answer) => answer,
                None => return,
            },
            StoreCall::Probe(epoch) => {
                if self.troubles.probes > 0 {
                    self.troubles.probes -= 1;
                    let detail = "the probe cannot tell".to_owned();
                    StoreAnswer::Probed(Err(CommitError::Unknown(detail)))
                } else {
                    let probe = self.store.probe(epoch);
                    if let Ok(found) = &probe {
                        self.see(&Sight::TermAllowed { epoch: found.epoch });
                    }
                    StoreAnswer::Probed(probe)
                }
            }
        };
        self.answer_from_store(daemon, life, answer);
    }

    fn answer_from_store(&mut self, daemon: usize, life: u64, answer: StoreAnswer) {
        let after = self.chance_store() + self.troubles.slow / 4;
        self.send_daemon(
            daemon,
            life,
            self.now + after,
            DaemonEvent::StoreAnswer(answer),
        );
    }

    fn crash_here(&mut self, daemon: usize, point: CrashPoint) -> bool {
        match self.daemons[daemon].doomed {
            Some((doom, down)) if doom == point => {
                self.daemons[daemon].doomed = None;
                self.kill(daemon, down, "is killed");
                true
            }
            _ => false,
        }
    }

    /// A process asks for the store anew. None if it ends instead, because the store is another's.
    fn load(&mut self, daemon: usize, life: u64) -> Option<StoreAnswer> {
        if self.troubles.loads > 0 {
            self.troubles.loads -= 1;
            let detail = "the load fails".to_owned();
            return Some(StoreAnswer::Loaded(Err(ReadError(detail))));
        }
        if self.holder != Some((daemon, life)) && !self.may_hold(daemon, life) {
            if self.plant == Some(Plant::BelievesItOwns) {
                let detail = "another holds it".to_owned();
                return Some(StoreAnswer::Loaded(Err(ReadError(detail))));
            }
            self.kill(
                daemon,
                300 * MILLI,
                "finds that the store is another's, and ends",
            );
            return None;
        }
        self.holder = Some((daemon, life));
        let loaded = self.store.load();
        if let Ok(loaded) = &loaded {
            self.see(&Sight::TermAllowed {
                epoch: loaded.epoch,
            });
        }
        Some(StoreAnswer::Loaded(loaded.map(Box::new)))
    }

    fn commit(&mut self, daemon: usize, commit: &Arc<Commit>) -> Result<(), CommitError> {
        if self.troubles.busy > 0 {
            self.troubles.busy -= 1;
            return Err(CommitError::NotApplied("the store is busy".to_owned()));
        }
        let unknown = || Err(CommitError::Unknown("the answer is lost".to_owned()));
        match self.troubles.unknown.take() {
            None => {
                let outcome = self.store.commit(commit);
                self.applied(daemon, commit, outcome.is_ok());
                outcome
            }
            Some(LateCommit::Applied) => {
                let outcome = self.store.commit(commit);
                self.applied(daemon, commit, outcome.is_ok());
                outcome?;
                unknown()
            }
            Some(LateCommit::Lost) => unknown(),
            Some(LateCommit::Late(by)) => {
                self.agenda.add(
                    self.now + by,
                    Event::LateCommit {
                        daemon,
                        commit: Arc::clone(commit),
                    },
                );
                unknown()
            }
        }
    }

    /// A commit reaches the store that its owner has given up. The fence knows.
    pub(super) fn late_commit(&mut self, daemon: usize, commit: &Commit) {
        let outcome = self.store.commit(commit);
        let what = if outcome.is_ok() {
            "lands late"
        } else {
            "comes too late"
        };
        self.say(format!("store: commit {} {what}", commit.commit_seq));
        self.applied(daemon, commit, outcome.is_ok());
    }

    fn applied(&mut self, daemon: usize, commit: &Commit, applied: bool) {
        if !applied {
            self.say(format!(
                "store: commit {} of epoch {} is refused",
                commit.commit_seq, commit.epoch.0
            ));
            return;
        }
        let step = Step::Applied {
            daemon,
            epoch: commit.epoch.0,
            commit: commit.commit_seq,
            mutations: commit.mutations.len(),
        };
        self.story.tell(self.now, step);
        let durable = self.store.peek();
        let now = self.now;
        self.see(&Sight::Applied {
            at: now,
            daemon,
            commit,
            durable: &durable,
        });
    }

    /// The name of who holds the store, for stories.
    pub(super) fn holder_name(&self) -> String {
        self.holder.map_or_else(
            || "nobody".to_owned(),
            |(daemon, _)| letter(daemon).to_string(),
        )
    }
}
