//! The readers' face.

use std::future::Future;
use std::pin::Pin;

use orchestrator_core::id::{AcceptSeq, Epoch, ProjectId, SessionId, TaskId, TenantId};
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{AttemptRecord, TaskRecord};
use orchestrator_core::time::WallMs;

use crate::error::ReadError;
use crate::event::Event;
use crate::payload::{TaskBody, TaskText};

/// The outcome of a read, later.
pub type ReadFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ReadError>> + Send + 'a>>;

/// A task as readers see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRow {
    /// The record.
    pub record: TaskRecord,
    /// Labels of the caller's own.
    pub metadata: Vec<(String, String)>,
}

/// Which tasks to list. Newest first.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// Whose.
    pub tenant: Option<TenantId>,
    /// Only tasks of this project.
    pub project: Option<ProjectId>,
    /// Only tasks whose state has this name, see [`crate::state_name`].
    pub state: Option<&'static str>,
    /// Only tasks of this class.
    pub priority: Option<ClassName>,
    /// Only tasks of this session.
    pub session: Option<SessionId>,
    /// Only tasks accepted before this one.
    pub before: Option<AcceptSeq>,
    /// Most rows.
    pub limit: u32,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskPage {
    /// The rows, newest first.
    pub rows: Vec<TaskRow>,
    /// True if there are older ones.
    pub more: bool,
}

/// One row of the commit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitRow {
    /// Number of the commit, from 1, without gaps.
    pub commit_seq: u64,
    /// Term of the owner that made it.
    pub epoch: Epoch,
    /// When, by that owner's wall clock.
    pub at: WallMs,
    /// What it says happened, in order.
    pub events: Vec<Event>,
}

/// A store, as readers use it. Reads see what is durable and never wait for the owner.
pub trait ReadStore: Send + Sync {
    /// One task.
    fn task_get(&self, tenant: TenantId, task: TaskId) -> ReadFuture<'_, Option<TaskRow>>;

    /// A page of tasks.
    fn task_list(&self, query: TaskQuery) -> ReadFuture<'_, TaskPage>;

    /// What a runner needs besides the record; none if there is no such task.
    fn task_body(&self, task: TaskId) -> ReadFuture<'_, Option<TaskBody>>;

    /// The durable text: whole once the task has ended with one, else its chunks so far, which may be
    /// none. No value if there is no such task.
    fn task_text(&self, task: TaskId) -> ReadFuture<'_, Option<TaskText>>;

    /// The history of a task, oldest attempt first.
    fn attempt_list(&self, task: TaskId) -> ReadFuture<'_, Vec<AttemptRecord>>;
}

/// The commit log, the one ordered feed of what happened, as whoever follows it reads it.
pub trait FeedStore: Send + Sync {
    /// Commits with a number above `after`, oldest first, `limit` at most.
    fn commit_list(&self, after: u64, limit: u32) -> ReadFuture<'_, Vec<CommitRow>>;
}
