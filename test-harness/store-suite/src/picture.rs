//! Everything durable that can be seen, to tell whether anything changed.

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::{AcceptSeq, TaskId};
use orchestrator_core::idempotency::IdempotencyRecord;
use orchestrator_core::key::KeyRecord;
use orchestrator_core::queue::PauseRecord;
use orchestrator_core::quota::{QuotaLevels, QuotaRecord};
use orchestrator_core::session::SessionRecord;
use orchestrator_core::task::AttemptRecord;
use store::{CommitRow, FeedStore, ReadStore, TaskBody, TaskQuery, TaskRow, TaskText};

use crate::bench::{Bench, Desk};

/// What readers and the next owner would see, but for the term.
#[derive(Debug, PartialEq)]
pub(crate) struct Picture {
    commit_seq: u64,
    accept_seq: AcceptSeq,
    sessions: Vec<SessionRecord>,
    keys: Vec<KeyRecord>,
    idempotency: Vec<IdempotencyRecord>,
    quotas: Vec<QuotaRecord>,
    quota_levels: Vec<QuotaLevels>,
    pauses: Vec<PauseRecord>,
    bulks: Vec<BulkRecord>,
    tasks: Vec<TaskPicture>,
    log: Vec<CommitRow>,
}

#[derive(Debug, PartialEq)]
struct TaskPicture {
    row: TaskRow,
    body: Option<TaskBody>,
    text: Option<TaskText>,
    attempts: Vec<AttemptRecord>,
}

impl Picture {
    /// Takes one, and begins a term by it.
    pub(crate) fn take<B: Bench>(desk: &mut Desk<B>) -> Self {
        let loaded = desk.load();
        let list = TaskQuery {
            limit: 10_000,
            ..TaskQuery::default()
        };
        let page = desk.read(async |store| store.task_list(list).await);
        assert!(!page.more, "the picture shows all tasks");
        Self {
            commit_seq: loaded.commit_seq,
            accept_seq: loaded.accept_seq,
            sessions: loaded.sessions,
            keys: loaded.keys,
            idempotency: loaded.idempotency,
            quotas: loaded.quotas,
            quota_levels: loaded.quota_levels,
            pauses: loaded.pauses,
            bulks: loaded.bulks,
            tasks: page
                .rows
                .into_iter()
                .map(|row| TaskPicture::take(desk, row))
                .collect(),
            log: desk.read(async |store| store.commit_list(0, 10_000).await),
        }
    }
}

impl TaskPicture {
    fn take<B: Bench>(desk: &Desk<B>, row: TaskRow) -> Self {
        let task: TaskId = row.record.id;
        Self {
            row,
            body: desk.read(async |store| store.task_body(task).await),
            text: desk.read(async |store| store.task_text(task).await),
            attempts: desk.read(async |store| store.attempt_list(task).await),
        }
    }
}
