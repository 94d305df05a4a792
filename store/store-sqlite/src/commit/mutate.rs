//! What each mutation writes, and what must hold for it.

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::{AttemptId, BulkId, PayloadRef, TaskId};
use orchestrator_core::idempotency::IdempotencyRecord;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::quota::QuotaRecord;
use orchestrator_core::task::{AttemptRecord, TaskRecord};
use store::CommitError;

use super::Writer;
use crate::bulk::bind_bulk;
use crate::codec::{Id, ShortId, Unsigned, pack_ends};
use crate::idempotency::bind_idempotency;
use crate::key::bind_key;
use crate::quota::{bind_levels, bind_pause, bind_quota};
use crate::record::{bind_attempt, bind_task_changing, bind_task_fixed};
use crate::session::bind_session;
use crate::sql::Sql;

impl Writer<'_> {
    pub(super) fn mutate(&mut self, mutation: &Mutation) -> Result<(), CommitError> {
        match mutation {
            Mutation::AttemptInsert(record) => self.attempt_insert(record),
            Mutation::AttemptUpdate(record) => self.attempt_update(record),
            Mutation::BulkForget(bulk) => self.bulk_forget(*bulk),
            Mutation::BulkPut(record) => self.bulk_put(record),
            Mutation::ChunkAppend {
                task,
                attempt,
                from,
                to,
                chunk,
            } => self.chunk_append((*task, *attempt), (*from, *to), *chunk),
            Mutation::IdempotencyBind(record) => self.idempotency_bind(record),
            Mutation::IdempotencyForget { through } => self.idempotency_forget(*through),
            Mutation::KeyPut(record) => self.guarded(
                Sql::KeyPut,
                |to| {
                    bind_key(to, record)?;
                    to.run()
                },
                || format!("what of key {} never changes is to be changed", record.id),
            ),
            Mutation::PausePut(record) => self.guarded(
                Sql::PausePut,
                |to| {
                    bind_pause(to, record)?;
                    to.run()
                },
                || "the pause of a queue was not put".to_owned(),
            ),
            Mutation::QuotaLevelsPut(levels) => self.guarded(
                Sql::QuotaLevelsPut,
                |to| {
                    bind_levels(to, levels)?;
                    to.run()
                },
                || format!("the levels of {:?} were not put", levels.subject),
            ),
            Mutation::QuotaPut(record) => self.quota_put(record),
            Mutation::SessionDelete(session) => self.guarded(
                Sql::SessionDelete,
                |to| {
                    to.value(Id::new(session.session.0))?
                        .value(ShortId::new(session.tenant.0))?
                        .run()
                },
                || format!("session {} does not exist", session.session),
            ),
            Mutation::SessionPut(record) => self.guarded(
                Sql::SessionPut,
                |to| {
                    bind_session(to, record)?;
                    to.run()
                },
                || format!("session {} was not put", record.id),
            ),
            Mutation::TaskInsert { record, body } => self.task_insert(record, *body),
            Mutation::TaskUpdate(record) => self.task_update(record),
            Mutation::TextPut { task, text } => self.text_put(*task, *text),
        }
    }

    fn bulk_forget(&mut self, bulk: BulkId) -> Result<(), CommitError> {
        self.guarded(
            Sql::BulkForget,
            |to| to.value(Id::new(bulk.0))?.run(),
            || format!("bulk {bulk} to forget does not exist"),
        )
    }

    fn bulk_put(&mut self, record: &BulkRecord) -> Result<(), CommitError> {
        self.guarded(
            Sql::BulkPut,
            |to| {
                bind_bulk(to, record)?;
                to.run()
            },
            || {
                format!(
                    "bulk {} has ended, or what of it never changes is to be changed",
                    record.id
                )
            },
        )
    }

    fn quota_put(&mut self, record: &QuotaRecord) -> Result<(), CommitError> {
        self.guarded(
            Sql::QuotaPut,
            |to| {
                bind_quota(to, record)?;
                to.run()
            },
            || {
                format!(
                    "the quota of {:?} is not at the revision before {}",
                    record.of, record.revision
                )
            },
        )
    }

    fn idempotency_bind(&mut self, record: &IdempotencyRecord) -> Result<(), CommitError> {
        let otherwise = || format!("idempotency key {} does not come last", record.number);
        self.vacant(
            Sql::IdempotencyBehind,
            |to| to.value(Unsigned(record.number))?.find(),
            otherwise,
        )?;
        self.guarded(
            Sql::IdempotencyBind,
            |to| {
                bind_idempotency(to, record)?;
                to.run()
            },
            otherwise,
        )
    }

    fn idempotency_forget(&mut self, through: u64) -> Result<(), CommitError> {
        let gone = self.run(Sql::IdempotencyForget, |to| {
            to.value(Unsigned(through))?.run()
        })?;
        if gone == 0 {
            return Err(CommitError::Broken(format!(
                "there is no idempotency key up to number {through}"
            )));
        }
        Ok(())
    }

    fn attempt_insert(&mut self, record: &AttemptRecord) -> Result<(), CommitError> {
        let seq = self.place(
            Sql::AttemptPlace,
            |to| {
                to.value(Id::new(record.task.0))?
                    .value(record.number)?
                    .find()
            },
            || {
                format!(
                    "attempt {} does not follow the others of task {}, or that task does not exist",
                    record.number, record.task
                )
            },
        )?;
        self.guarded(
            Sql::AttemptInsert,
            |to| {
                bind_attempt(to, record, seq)?;
                to.run()
            },
            || format!("attempt {} of task {} exists", record.id, record.task),
        )
    }

    fn attempt_update(&mut self, record: &AttemptRecord) -> Result<(), CommitError> {
        let otherwise = || format!("attempt {} of task {} is not live", record.id, record.task);
        let seq = self.place(
            Sql::TaskExists,
            |to| to.value(Id::new(record.task.0))?.find(),
            otherwise,
        )?;
        self.guarded(
            Sql::AttemptUpdate,
            |to| {
                bind_attempt(to, record, seq)?;
                to.run()
            },
            otherwise,
        )
    }

    fn chunk_append(
        &mut self,
        (task, attempt): (TaskId, AttemptId),
        (from, to): (u64, u64),
        chunk: PayloadRef,
    ) -> Result<(), CommitError> {
        let text = self.commit.chunk(chunk, from, to)?;
        let otherwise = || {
            format!(
                "tokens {from} to {to} do not follow the text of task {task}, or attempt {attempt} is \
                 not live"
            )
        };
        let seq = self.place(
            Sql::ChunkPlace,
            |bound| {
                bound
                    .value(Id::new(task.0))?
                    .value(Id::new(attempt.0))?
                    .value(Unsigned(from))?
                    .find()
            },
            otherwise,
        )?;
        self.guarded(
            Sql::ChunkAppend,
            |bound| {
                bound
                    .value(seq)?
                    .value(Id::new(attempt.0))?
                    .value(Unsigned(from))?
                    .value(Unsigned(to))?
                    .value(text.text.as_str())?
                    .value(pack_ends(&text.ends))?
                    .run()
            },
            otherwise,
        )
    }

    fn task_insert(&mut self, record: &TaskRecord, body: PayloadRef) -> Result<(), CommitError> {
        let body = self.commit.body(body)?;
        let in_order = self.accepted.is_none_or(|last| last < record.seq);
        if record.revision != 1 || !in_order {
            return Err(CommitError::Broken(format!(
                "task {} does not begin at revision 1, or its accept sequence {} does not rise",
                record.id, record.seq.0
            )));
        }
        self.guarded(
            Sql::TaskInsert,
            |to| {
                bind_task_fixed(to, record)?;
                bind_task_changing(to, record)?;
                to.run()
            },
            || format!("task {} exists already", record.id),
        )?;
        let metadata = (!body.metadata.is_empty())
            .then(|| serde_json::to_string(&body.metadata))
            .transpose()
            .map_err(|error| CommitError::Broken(error.to_string()))?;
        self.guarded(
            Sql::TaskBodyInsert,
            |to| {
                to.value(Unsigned(record.seq.0))?
                    .value(body.prompt.as_str())?
                    .value_or_null(metadata.as_deref())?
                    .run()
            },
            || format!("task {} has a body already", record.id),
        )?;
        self.accepted = Some(record.seq);
        Ok(())
    }

    fn task_update(&mut self, record: &TaskRecord) -> Result<(), CommitError> {
        self.guarded(
            Sql::TaskUpdate,
            |to| {
                bind_task_changing(to, record)?;
                to.value(Unsigned(record.seq.0))?
                    .value(Id::new(record.id.0))?
                    .run()
            },
            || {
                format!(
                    "task {} is not at the revision before {}",
                    record.id, record.revision
                )
            },
        )
    }

    fn text_put(&mut self, task: TaskId, text: PayloadRef) -> Result<(), CommitError> {
        let text = self.commit.text(text)?;
        let seq = self.place(
            Sql::TextPlace,
            |to| to.value(Id::new(task.0))?.find(),
            || format!("task {task} does not exist, or has its text already"),
        )?;
        self.guarded(
            Sql::TextPut,
            |to| {
                to.value(seq)?
                    .value(Unsigned(text.tokens()))?
                    .value(text.text.as_str())?
                    .value(pack_ends(&text.ends))?
                    .run()
            },
            || format!("the text of task {task} was not put"),
        )?;
        self.run(Sql::ChunkDelete, |to| to.value(seq)?.run())
            .map(drop)
    }
}
