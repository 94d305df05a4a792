//! One transaction: the fence, the mutations with their guards, the log row.

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::{AcceptSeq, AttemptId, BulkId, PayloadRef, TaskId};
use orchestrator_core::idempotency::IdempotencyRecord;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::quota::QuotaRecord;
use orchestrator_core::task::{AttemptRecord, TaskRecord};
use rusqlite::Connection;
use store::{Commit, CommitError, Event};

use crate::bulk::bind_bulk;
use crate::codec::{Id, ShortId, Unsigned, pack_ends};
use crate::error;
use crate::idempotency::bind_idempotency;
use crate::key::bind_key;
use crate::load::take_back;
use crate::quota::{bind_levels, bind_pause, bind_quota};
use crate::record::{bind_attempt, bind_task_changing, bind_task_fixed};
use crate::session::bind_session;
use crate::sql::{Sql, Statements};

/// Commits whole, or tells what may be assumed.
pub(crate) fn commit(connection: &Connection, commit: &Commit) -> Result<(), CommitError> {
    let before = |error: rusqlite::Error| error::before_commit(&error);
    take_back(connection).map_err(before)?;
    execute(connection, "BEGIN IMMEDIATE").map_err(before)?;
    if let Err(failed) = Writer::new(connection, commit).write() {
        // If this fails too, the next transaction begins with it.
        let _ = take_back(connection);
        return Err(failed);
    }
    execute(connection, "COMMIT").map_err(|failed| {
        let was_open = !connection.is_autocommit();
        let rolled_back = was_open && take_back(connection).is_ok();
        error::at_commit(&failed, rolled_back)
    })
}

/// Executes a statement without values, which is prepared once: these two are a part of every commit.
fn execute(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

struct Writer<'c> {
    statements: Statements<'c>,
    commit: &'c Commit,
    /// Lowest and highest accept sequence of this commit.
    accepted: Option<(AcceptSeq, AcceptSeq)>,
}

impl<'c> Writer<'c> {
    fn new(connection: &'c Connection, commit: &'c Commit) -> Self {
        Self {
            statements: Statements::new(connection),
            commit,
            accepted: None,
        }
    }

    fn write(mut self) -> Result<(), CommitError> {
        self.fence()?;
        for mutation in &self.commit.mutations {
            self.mutate(mutation)?;
        }
        self.accept_seq()?;
        self.log()
    }

    fn fence(&mut self) -> Result<(), CommitError> {
        let (epoch, commit_seq) = (self.commit.epoch, self.commit.commit_seq);
        let rows = self.run(Sql::Fence, |to| {
            to.value(Unsigned(epoch.0))?
                .value(Unsigned(commit_seq))?
                .run()
        })?;
        if rows == 1 {
            Ok(())
        } else {
            Err(CommitError::Fenced(format!(
                "term {} may not make commit {commit_seq}",
                epoch.0
            )))
        }
    }

    fn mutate(&mut self, mutation: &Mutation) -> Result<(), CommitError> {
        match mutation {
            Mutation::AttemptInsert(record) => self.attempt(Sql::AttemptInsert, record),
            Mutation::AttemptUpdate(record) => self.attempt(Sql::AttemptUpdate, record),
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
        self.guarded(
            Sql::IdempotencyBind,
            |to| {
                bind_idempotency(to, record)?;
                to.run()
            },
            || format!("idempotency key {} does not come last", record.number),
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

    fn attempt(&mut self, sql: Sql, record: &AttemptRecord) -> Result<(), CommitError> {
        self.guarded(
            sql,
            |to| {
                bind_attempt(to, record)?;
                to.run()
            },
            || match sql {
                Sql::AttemptInsert => format!(
                    "attempt {} does not follow the others of task {}, or that task does not exist",
                    record.number, record.task
                ),
                _ => format!("attempt {} of task {} is not live", record.id, record.task),
            },
        )
    }

    fn chunk_append(
        &mut self,
        (task, attempt): (TaskId, AttemptId),
        (from, to): (u64, u64),
        chunk: PayloadRef,
    ) -> Result<(), CommitError> {
        let text = self.commit.chunk(chunk, from, to)?;
        self.guarded(
            Sql::ChunkAppend,
            |bound| {
                bound
                    .value(Id::new(task.0))?
                    .value(Id::new(attempt.0))?
                    .value(Unsigned(from))?
                    .value(Unsigned(to))?
                    .value(text.text.as_str())?
                    .value(pack_ends(&text.ends))?
                    .run()
            },
            || {
                format!(
                    "tokens {from} to {to} do not follow the text of task {task}, or attempt {attempt} is \
                     not live"
                )
            },
        )
    }

    fn task_insert(&mut self, record: &TaskRecord, body: PayloadRef) -> Result<(), CommitError> {
        let body = self.commit.body(body)?;
        let in_order = self.accepted.is_none_or(|(_, last)| last < record.seq);
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
                    .value(metadata.as_deref())?
                    .run()
            },
            || format!("task {} has a body already", record.id),
        )?;
        let first = self.accepted.map_or(record.seq, |(first, _)| first);
        self.accepted = Some((first, record.seq));
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
        self.guarded(
            Sql::TextPut,
            |to| {
                to.value(Id::new(task.0))?
                    .value(Unsigned(text.tokens()))?
                    .value(text.text.as_str())?
                    .value(pack_ends(&text.ends))?
                    .run()
            },
            || format!("task {task} does not exist, or has its text already"),
        )?;
        self.run(Sql::ChunkDelete, |to| to.value(Id::new(task.0))?.run())
            .map(drop)
    }

    /// Remembers the highest accept sequence, which must lie above all before it.
    fn accept_seq(&mut self) -> Result<(), CommitError> {
        let Some((first, last)) = self.accepted else {
            return Ok(());
        };
        self.guarded(
            Sql::AcceptSeq,
            |to| to.value(Unsigned(first.0))?.value(Unsigned(last.0))?.run(),
            || format!("accept sequence {} was given before", first.0),
        )
    }

    fn log(&mut self) -> Result<(), CommitError> {
        let commit = self.commit;
        self.guarded(
            Sql::Log,
            |to| {
                to.value(Unsigned(commit.commit_seq))?
                    .value(Unsigned(commit.epoch.0))?
                    .value(Unsigned(commit.at.0))?
                    .value(Event::pack(&commit.events))?
                    .run()
            },
            || format!("commit {} is in the log already", commit.commit_seq),
        )
    }

    /// Executes a statement that must touch one row: its guard is in its `WHERE`.
    fn guarded(
        &mut self,
        sql: Sql,
        run: impl FnOnce(&mut crate::sql::Binder<'_, 'c>) -> rusqlite::Result<usize>,
        otherwise: impl FnOnce() -> String,
    ) -> Result<(), CommitError> {
        match self.run(sql, run)? {
            1 => Ok(()),
            _ => Err(CommitError::Broken(otherwise())),
        }
    }

    fn run(
        &mut self,
        sql: Sql,
        run: impl FnOnce(&mut crate::sql::Binder<'_, 'c>) -> rusqlite::Result<usize>,
    ) -> Result<usize, CommitError> {
        self.statements
            .bind(sql)
            .and_then(|mut binder| run(&mut binder))
            .map_err(|error| error::before_commit(&error))
    }
}
