//! The owner's face.

use std::collections::HashMap;

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::{AcceptSeq, Epoch, PayloadRef, TaskId};
use orchestrator_core::idempotency::IdempotencyRecord;
use orchestrator_core::key::KeyRecord;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::PauseRecord;
use orchestrator_core::quota::{QuotaLevels, QuotaRecord};
use orchestrator_core::session::SessionRecord;
use orchestrator_core::task::{AttemptRecord, TaskRecord};
use orchestrator_core::time::WallMs;

use crate::error::{CommitError, ReadError};
use crate::event::Event;
use crate::payload::{Payload, TaskBody, TaskText};

/// What an owner starts from: everything live, and where the log stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The term that this load began: one more than the store's last.
    pub epoch: Epoch,
    /// Number of the last commit.
    pub commit_seq: u64,
    /// Highest accept sequence ever given.
    pub accept_seq: AcceptSeq,
    /// Every task that has not ended, by accept sequence.
    pub tasks: Vec<TaskRecord>,
    /// The live attempts of those tasks.
    pub attempts: Vec<AttemptRecord>,
    /// Every session.
    pub sessions: Vec<SessionRecord>,
    /// Every key there ever was, by id.
    pub keys: Vec<KeyRecord>,
    /// Every idempotency key that is kept, by number.
    pub idempotency: Vec<IdempotencyRecord>,
    /// Every quota that was put: of keys by id, then of tenants by id.
    pub quotas: Vec<QuotaRecord>,
    /// What was used of quotas and flows back with time, in the same order.
    pub quota_levels: Vec<QuotaLevels>,
    /// Every queue that was ever held: that of all pools, then by pool.
    pub pauses: Vec<PauseRecord>,
    /// Every bulk that is remembered, by id.
    pub bulks: Vec<BulkRecord>,
}

/// One transaction of the owner. All of it becomes durable, or none.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The owner's term.
    pub epoch: Epoch,
    /// Number of this commit, one more than the one before.
    pub commit_seq: u64,
    /// When, by the owner's wall clock.
    pub at: WallMs,
    /// What changes, in order.
    pub mutations: Vec<Mutation>,
    /// What the mutations' payloads stand for.
    pub payloads: HashMap<PayloadRef, Payload>,
    /// What the log says of it.
    pub events: Vec<Event>,
}

impl Commit {
    /// The body that a [`Mutation::TaskInsert`] names.
    ///
    /// # Errors
    /// [`CommitError::Broken`] if the commit does not carry it.
    pub fn body(&self, payload: PayloadRef) -> Result<&TaskBody, CommitError> {
        match self.payloads.get(&payload) {
            Some(Payload::Body(body)) => Ok(body),
            Some(Payload::Text(_)) => Err(broken(payload, "is a text, not a body")),
            None => Err(broken(payload, "is not in the commit")),
        }
    }

    /// The text that a [`Mutation::TextPut`] names.
    ///
    /// # Errors
    /// [`CommitError::Broken`] if the commit does not carry it, or its frame boundaries do not rise to
    /// the end of the text.
    pub fn text(&self, payload: PayloadRef) -> Result<&TaskText, CommitError> {
        match self.payloads.get(&payload) {
            Some(Payload::Text(text)) if text.is_sound() => Ok(text),
            Some(Payload::Text(_)) => Err(broken(
                payload,
                "has frame boundaries that do not fit its text",
            )),
            Some(Payload::Body(_)) => Err(broken(payload, "is a body, not a text")),
            None => Err(broken(payload, "is not in the commit")),
        }
    }

    /// The text that a [`Mutation::ChunkAppend`] names, which must have tokens `from..to` and at least one.
    ///
    /// # Errors
    /// [`CommitError::Broken`] as with [`Commit::text`], or if the number of tokens is another.
    pub fn chunk(&self, payload: PayloadRef, from: u64, to: u64) -> Result<&TaskText, CommitError> {
        let text = self.text(payload)?;
        if from < to && to - from == text.tokens() {
            Ok(text)
        } else {
            Err(broken(
                payload,
                &format!(
                    "has {} tokens for the positions {from} to {to}",
                    text.tokens()
                ),
            ))
        }
    }
}

fn broken(payload: PayloadRef, what: &str) -> CommitError {
    CommitError::Broken(format!("payload {} {what}", payload.0))
}

/// What a probe found after an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The term that the probe began, in place of the one before.
    pub epoch: Epoch,
    /// Number of the last durable commit: tells whether the one in question is.
    pub commit_seq: u64,
}

/// A store, as its one owner uses it. Blocking: it runs on a thread of the owner's.
pub trait OwnerStore: Send {
    /// Begins a new term (the fence row's epoch rises by one) and then loads, in a new snapshot.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot be read or the term cannot be begun.
    fn load(&mut self) -> Result<Loaded, ReadError>;

    /// A way to look up what has ended, to be used while a commit runs.
    ///
    /// # Errors
    /// [`ReadError`] if there can be none.
    fn cold(&self) -> Result<Box<dyn ColdStore>, ReadError>;

    /// Commits in one transaction: first the fence row moves from `commit_seq - 1` to `commit_seq` under
    /// `epoch`, then the mutations in order, each with its guard, then the log row.
    ///
    /// # Errors
    /// See [`CommitError`] for what each kind allows to assume.
    fn commit(&mut self, commit: &Commit) -> Result<(), CommitError>;

    /// After [`CommitError::Unknown`]: begins a new term and reads how far the log got.
    ///
    /// # Errors
    /// [`CommitError::Fenced`] if `epoch` is no longer the store's, [`CommitError::Unknown`] if it still
    /// cannot be told.
    fn probe(&mut self, epoch: Epoch) -> Result<Probe, CommitError>;
}

/// What the owner asks for before it steps. Blocking, on the owner's own thread, beside a commit on another.
pub trait ColdStore: Send {
    /// The records of those tasks that have ended, of the ones named. One batched read that sees every
    /// commit that has returned before it began.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot be read.
    fn prefetch(&mut self, tasks: &[TaskId]) -> Result<Vec<TaskRecord>, ReadError>;
}
