//! The owner's face.

use std::collections::HashMap;

use orchestrator_core::id::{AcceptSeq, Epoch, PayloadRef, TaskId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::session::SessionRecord;
use orchestrator_core::task::{AttemptRecord, TaskRecord, TaskState};
use orchestrator_core::time::WallMs;

use crate::error::{CommitError, ReadError};
use crate::payload::Payload;

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
}

/// A fact of the commit log, the one ordered feed. `(commit_seq, index)` is its cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task was accepted.
    TaskAccepted(TaskId),
    /// A task moved to another state.
    TaskMoved(TaskId, TaskState),
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

    /// The records of those tasks that have ended, of the ones named. One batched read.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot be read.
    fn prefetch(&mut self, tasks: &[TaskId]) -> Result<Vec<TaskRecord>, ReadError>;

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
