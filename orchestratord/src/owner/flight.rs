//! The one commit under way, and what its answers mean.

use std::collections::HashMap;
use std::sync::Arc;

use orchestrator_core::id::{Epoch, TaskId};
use orchestrator_core::task::TaskRecord;
use orchestrator_core::time::{MonoMs, Now};
use store::{Commit, CommitError, Loaded, Probe, ReadError};

use super::batch::Held;
use super::error::OwnerUnavailable;
use super::limits::OwnerLimits;
use super::outlet::Notice;

/// What the owner asks of the store. At most one is unanswered.
#[derive(Clone, Debug)]
pub enum StoreCall {
    /// See [`store::OwnerStore::commit`].
    Commit(Arc<Commit>),
    /// See [`store::OwnerStore::load`].
    Load,
    /// See [`store::OwnerStore::probe`].
    Probe(Epoch),
}

/// What the store answers.
#[derive(Debug)]
pub enum StoreAnswer {
    /// To [`StoreCall::Commit`].
    Committed(Result<(), CommitError>),
    /// To [`StoreCall::Load`].
    Loaded(Result<Box<Loaded>, ReadError>),
    /// To [`StoreCall::Probe`].
    Probed(Result<Probe, CommitError>),
}

/// A batch on its way to the store.
pub(super) struct Flight {
    /// Number of the batch.
    pub(super) number: u64,
    pub(super) commit: Arc<Commit>,
    pub(super) held: Held,
    pub(super) ended: HashMap<TaskId, TaskRecord>,
    stage: Stage,
    /// Failed tries since the last good answer.
    tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    ToCommit(MonoMs),
    Committing,
    ToProbe(MonoMs),
    Probing,
}

/// What follows from an answer.
pub(super) enum Verdict {
    /// It is durable.
    Durable,
    /// It is tried again; the store has this trouble.
    Again(Notice),
    /// A new term has begun, in which it is tried again.
    AgainAs(Epoch),
    /// It is durable, and a new term has begun.
    DurableAs(Epoch),
    /// The owner must step down.
    Down(Fall),
}

/// Why the owner steps down, and what is known of the batch under way.
pub(super) struct Fall {
    pub(super) detail: String,
    pub(super) alarm: bool,
    pub(super) may_be_durable: bool,
}

impl Fall {
    /// What those are told who wait for the batch under way.
    pub(super) fn of_flight(&self) -> OwnerUnavailable {
        let detail = self.detail.clone();
        if self.may_be_durable {
            OwnerUnavailable::Unknown(detail)
        } else {
            OwnerUnavailable::NotApplied(detail)
        }
    }
}

impl Flight {
    pub(super) fn new(
        number: u64,
        commit: Commit,
        held: Held,
        ended: HashMap<TaskId, TaskRecord>,
    ) -> Self {
        Self {
            number,
            commit: Arc::new(commit),
            held,
            ended,
            stage: Stage::ToCommit(MonoMs(0)),
            tries: 0,
        }
    }

    /// The call that is due.
    pub(super) fn poll(&mut self, now: Now) -> Option<StoreCall> {
        match self.stage {
            Stage::ToCommit(at) if at <= now.mono => {
                self.stage = Stage::Committing;
                Some(StoreCall::Commit(Arc::clone(&self.commit)))
            }
            Stage::ToProbe(at) if at <= now.mono => {
                self.stage = Stage::Probing;
                Some(StoreCall::Probe(self.commit.epoch))
            }
            _ => None,
        }
    }

    /// When a call becomes due, if none is unanswered.
    pub(super) fn due(&self) -> Option<MonoMs> {
        match self.stage {
            Stage::ToCommit(at) | Stage::ToProbe(at) => Some(at),
            Stage::Committing | Stage::Probing => None,
        }
    }

    /// What the answer to a commit means.
    pub(super) fn committed(
        &mut self,
        now: Now,
        limits: &OwnerLimits,
        answer: Result<(), CommitError>,
    ) -> Verdict {
        debug_assert_eq!(self.stage, Stage::Committing, "an answer nobody asked for");
        match answer {
            Ok(()) => Verdict::Durable,
            Err(CommitError::NotApplied(detail)) => {
                self.tries += 1;
                if self.tries >= limits.store_tries {
                    return Verdict::Down(Fall {
                        detail,
                        alarm: false,
                        may_be_durable: false,
                    });
                }
                self.stage = Stage::ToCommit(now.mono + limits.store_pause(self.tries));
                Verdict::Again(Notice::CommitDelayed {
                    commit_seq: self.commit.commit_seq,
                    tries: self.tries,
                    detail,
                })
            }
            Err(CommitError::Unknown(detail)) => {
                self.stage = Stage::ToProbe(now.mono);
                Verdict::Again(Notice::CommitUnknown {
                    commit_seq: self.commit.commit_seq,
                    detail,
                })
            }
            Err(CommitError::Fenced(detail)) => Verdict::Down(Fall {
                detail,
                alarm: false,
                may_be_durable: false,
            }),
            Err(CommitError::Broken(detail)) => Verdict::Down(Fall {
                detail,
                alarm: true,
                may_be_durable: false,
            }),
        }
    }

    /// What the answer to a probe means.
    pub(super) fn probed(
        &mut self,
        now: Now,
        limits: &OwnerLimits,
        answer: Result<Probe, CommitError>,
    ) -> Verdict {
        debug_assert_eq!(self.stage, Stage::Probing, "an answer nobody asked for");
        match answer {
            Ok(Probe { epoch, commit_seq }) if commit_seq == self.commit.commit_seq => {
                Verdict::DurableAs(epoch)
            }
            Ok(Probe { epoch, commit_seq }) if commit_seq + 1 == self.commit.commit_seq => {
                self.tries += 1;
                if self.tries >= limits.store_tries {
                    let detail = "its outcome was unknown too often".to_owned();
                    return Verdict::Down(Fall {
                        detail,
                        alarm: false,
                        may_be_durable: false,
                    });
                }
                Arc::make_mut(&mut self.commit).epoch = epoch;
                self.stage = Stage::ToCommit(now.mono + limits.store_pause(self.tries));
                Verdict::AgainAs(epoch)
            }
            Ok(Probe { commit_seq, .. }) => Verdict::Down(Fall {
                detail: format!(
                    "the log stands at commit {commit_seq} where {} was made",
                    self.commit.commit_seq
                ),
                alarm: true,
                may_be_durable: true,
            }),
            Err(CommitError::Unknown(detail) | CommitError::NotApplied(detail)) => {
                self.tries += 1;
                if self.tries >= limits.store_tries {
                    return Verdict::Down(Fall {
                        detail,
                        alarm: false,
                        may_be_durable: true,
                    });
                }
                self.stage = Stage::ToProbe(now.mono + limits.store_pause(self.tries));
                Verdict::Again(Notice::CommitUnknown {
                    commit_seq: self.commit.commit_seq,
                    detail,
                })
            }
            Err(CommitError::Fenced(detail)) => Verdict::Down(Fall {
                detail,
                alarm: false,
                may_be_durable: true,
            }),
            Err(CommitError::Broken(detail)) => Verdict::Down(Fall {
                detail,
                alarm: true,
                may_be_durable: true,
            }),
        }
    }
}
