//! Every statement of the owner, each static, each prepared once.

use rusqlite::{CachedStatement, Connection, ToSql};

use crate::bulk::{BULK_FORGET, BULK_PUT};
use crate::codec::Unsigned;
use crate::idempotency::{IDEMPOTENCY_BEHIND, IDEMPOTENCY_BIND};
use crate::key::KEY_PUT;
use crate::quota::{PAUSE_PUT, QUOTA_LEVELS_PUT, QUOTA_PUT};
use crate::session::SESSION_PUT;

/// Columns of a task's row in the order in which `record.rs` binds and reads them.
macro_rules! task_columns {
    () => {
        "seq, tenant, project, created_by, id, fingerprint, kind, prompt_digest, prompt_bytes, \
         prompt_tokens_estimate, prompt_tokens_least, model_ref, engine, ctx, max_tokens, ignore_eos, \
         temperature, top_k, top_p, min_p, repeat_penalty, seed, determinism, priority, deadline_ms, run_at_ms, session, \
         on_disconnect, accepted_at_ms, accepted_position, accepted_eta_ms, accepted_low_ms, accepted_high_ms, \
         revision, state, waiting_for, attempts, failures, interruptions, attempt_id, attempt_number, attempt_replica, replica_set, \
         started_at_ms, started_replica, started_engine, started_engine_version, started_model_digest, \
         position, not_before_ms, ended_at_ms, end_finish, end_tokens_in, end_tokens_out, end_decode_ms, \
         end_fault, end_detail"
    };
}

/// Columns of an attempt's row, with the id of its task, in the order in which `record.rs` reads them.
macro_rules! attempt_columns {
    () => {
        "a.id, t.id, a.number, a.replica, a.replica_set, a.epoch, a.began_at_ms, a.ended_at_ms, a.state, \
         a.finish, a.fault, a.first_token_ms, a.detail"
    };
}

pub(crate) use {attempt_columns, task_columns};

const TASK_BODY_INSERT: &str = "INSERT INTO task_body (task, prompt, metadata) VALUES (?1, ?2, ?3)";

/// Every column of a task that changes.
const TASK_UPDATE: &str = "UPDATE task SET revision = ?1, state = ?2, waiting_for = ?3, attempts = ?4, \
     failures = ?5, interruptions = ?6, attempt_id = ?7, attempt_number = ?8, \
     attempt_replica = ?9, replica_set = ?10, started_at_ms = ?11, started_replica = ?12, \
     started_engine = ?13, started_engine_version = ?14, started_model_digest = ?15, \
     position = ?16, not_before_ms = ?17, ended_at_ms = ?18, end_finish = ?19, \
     end_tokens_in = ?20, end_tokens_out = ?21, end_decode_ms = ?22, end_fault = ?23, \
     end_detail = ?24 WHERE seq = ?25 AND id = ?26 AND revision = ?1 - 1";

/// A statement of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sql {
    AttemptInsert,
    AttemptPlace,
    AttemptUpdate,
    BulkForget,
    BulkPut,
    ChunkAppend,
    ChunkDelete,
    ChunkPlace,
    Fence,
    FenceAndAccept,
    IdempotencyBehind,
    IdempotencyBind,
    IdempotencyForget,
    KeyPut,
    Log,
    PausePut,
    QuotaLevelsPut,
    QuotaPut,
    SessionDelete,
    SessionPut,
    TaskBodyInsert,
    TaskExists,
    TaskInsert,
    TaskUpdate,
    TextPlace,
    TextPut,
}

impl Sql {
    const COUNT: usize = Self::TextPut as usize + 1;

    #[cfg(test)]
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::AttemptInsert,
        Self::AttemptPlace,
        Self::AttemptUpdate,
        Self::BulkForget,
        Self::BulkPut,
        Self::ChunkAppend,
        Self::ChunkDelete,
        Self::ChunkPlace,
        Self::Fence,
        Self::FenceAndAccept,
        Self::IdempotencyBehind,
        Self::IdempotencyBind,
        Self::IdempotencyForget,
        Self::KeyPut,
        Self::Log,
        Self::PausePut,
        Self::QuotaLevelsPut,
        Self::QuotaPut,
        Self::SessionDelete,
        Self::SessionPut,
        Self::TaskBodyInsert,
        Self::TaskExists,
        Self::TaskInsert,
        Self::TaskUpdate,
        Self::TextPlace,
        Self::TextPut,
    ];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::AttemptInsert => {
                "INSERT INTO attempt (id, task, number, replica, replica_set, epoch, began_at_ms, ended_at_ms, \
                 state, finish, fault, first_token_ms, detail) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
            }
            Self::AttemptPlace => {
                "SELECT t.seq FROM task t WHERE t.id = ?1 \
                 AND NOT EXISTS (SELECT 1 FROM attempt o WHERE o.task = t.seq AND o.number >= ?2)"
            }
            Self::AttemptUpdate => {
                "UPDATE attempt SET number = ?3, replica = ?4, replica_set = ?5, epoch = ?6, \
                 began_at_ms = ?7, ended_at_ms = ?8, state = ?9, finish = ?10, fault = ?11, \
                 first_token_ms = ?12, detail = ?13 WHERE id = ?1 AND state = 'live' AND task = ?2"
            }
            Self::BulkForget => BULK_FORGET,
            Self::BulkPut => BULK_PUT,
            Self::ChunkAppend => {
                "INSERT INTO chunk (task, attempt, from_token, to_token, text, ends) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            }
            Self::ChunkDelete => "DELETE FROM chunk WHERE task = ?1",
            Self::ChunkPlace => {
                "SELECT t.seq FROM attempt a JOIN task t ON t.seq = a.task \
                 WHERE a.id = ?2 AND a.state = 'live' AND t.id = ?1 AND t.position = ?3"
            }
            Self::Fence => {
                "UPDATE ownership SET commit_seq = ?2 \
                 WHERE shard = 0 AND epoch = ?1 AND commit_seq = ?2 - 1"
            }
            Self::FenceAndAccept => {
                "UPDATE ownership SET commit_seq = ?2, accept_seq = ?4 \
                 WHERE shard = 0 AND epoch = ?1 AND commit_seq = ?2 - 1 AND accept_seq < ?3"
            }
            Self::IdempotencyBehind => IDEMPOTENCY_BEHIND,
            Self::IdempotencyBind => IDEMPOTENCY_BIND,
            Self::IdempotencyForget => "DELETE FROM idempotency WHERE number <= ?1",
            Self::KeyPut => KEY_PUT,
            Self::Log => {
                "INSERT INTO commit_log (commit_seq, epoch, at_ms, events) VALUES (?1, ?2, ?3, ?4)"
            }
            Self::PausePut => PAUSE_PUT,
            Self::QuotaLevelsPut => QUOTA_LEVELS_PUT,
            Self::QuotaPut => QUOTA_PUT,
            Self::SessionDelete => "DELETE FROM session WHERE id = ?1 AND tenant = ?2",
            Self::SessionPut => SESSION_PUT,
            Self::TaskBodyInsert => TASK_BODY_INSERT,
            Self::TaskExists => "SELECT seq FROM task WHERE id = ?1",
            Self::TaskInsert => concat!(
                "INSERT INTO task (",
                task_columns!(),
                ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
                 ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, \
                 ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50, ?51, \
                 ?52, ?53, ?54, ?55, ?56, ?57)"
            ),
            Self::TaskUpdate => TASK_UPDATE,
            Self::TextPlace => {
                "SELECT t.seq FROM task t WHERE t.id = ?1 \
                 AND NOT EXISTS (SELECT 1 FROM task_text x WHERE x.task = t.seq)"
            }
            Self::TextPut => {
                "INSERT INTO task_text (task, tokens, text, ends) VALUES (?1, ?2, ?3, ?4)"
            }
        }
    }
}

/// The statements of one commit, each looked up at its first use.
pub(crate) struct Statements<'c> {
    connection: &'c Connection,
    prepared: [Option<CachedStatement<'c>>; Sql::COUNT],
}

impl<'c> Statements<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            prepared: [const { None }; Sql::COUNT],
        }
    }

    /// Begins the values of one execution, each of them NULL.
    pub(crate) fn bind(&mut self, sql: Sql) -> rusqlite::Result<Binder<'_, 'c>> {
        let place = &mut self.prepared[sql as usize];
        let statement = match place {
            Some(statement) => {
                statement.clear_bindings();
                statement
            }
            // The cache gives statements out without values.
            None => place.insert(self.connection.prepare_cached(sql.text())?),
        };
        Ok(Binder { statement, next: 1 })
    }
}

/// Gives values to a statement, in order.
pub(crate) struct Binder<'s, 'c> {
    statement: &'s mut CachedStatement<'c>,
    next: usize,
}

impl Binder<'_, '_> {
    /// The next value.
    pub(crate) fn value(&mut self, value: impl ToSql) -> rusqlite::Result<&mut Self> {
        self.statement.raw_bind_parameter(self.next, value)?;
        self.next += 1;
        Ok(self)
    }

    /// The next value if there is one; NULL, which it is already, otherwise.
    pub(crate) fn value_or_null(
        &mut self,
        value: Option<impl ToSql>,
    ) -> rusqlite::Result<&mut Self> {
        if let Some(value) = value {
            return self.value(value);
        }
        self.next += 1;
        Ok(self)
    }

    /// Executes; the number of rows it touched.
    pub(crate) fn run(&mut self) -> rusqlite::Result<usize> {
        self.check_count();
        self.statement.raw_execute()
    }

    /// Executes; the number in the first row, if there is one.
    pub(crate) fn find(&mut self) -> rusqlite::Result<Option<Unsigned>> {
        self.check_count();
        let mut rows = self.statement.raw_query();
        rows.next()?.map(|row| row.get(0)).transpose()
    }

    /// A value that is forgotten is NULL, and those after it take the places of others.
    fn check_count(&self) {
        debug_assert_eq!(
            self.next,
            self.statement.parameter_count() + 1,
            "a value is missing"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    #[test]
    fn no_statement_of_a_commit_scans() {
        let connection = plan::empty_store();
        for sql in Sql::ALL {
            let steps = plan::steps(&connection, sql.text());
            assert!(!plan::scans(&steps), "{sql:?}: {steps:?}");
        }
    }

    #[test]
    fn no_value_is_null_whatever_the_last_execution_had() {
        let connection = plan::empty_store();
        let rows = [(1_u32, Some("[]")), (2, None), (3, Some("[]"))];
        for (commit, rows) in [(0, rows), (10, rows.map(|(task, _)| (task, None)))] {
            let mut statements = Statements::new(&connection);
            for (task, metadata) in rows {
                let mut insert = statements.bind(Sql::TaskBodyInsert).unwrap();
                insert.value(commit + task).unwrap().value("p").unwrap();
                insert.value_or_null(metadata).unwrap().run().unwrap();
            }
        }
        let mut kept = connection
            .prepare("SELECT task FROM task_body WHERE metadata IS NOT NULL ORDER BY task")
            .unwrap();
        let kept = kept.query_map([], |row| row.get(0)).unwrap();
        let kept: Vec<u32> = kept.map(Result::unwrap).collect();
        assert_eq!(kept, [1, 3]);
    }

    #[test]
    #[should_panic(expected = "a value is missing")]
    fn a_search_with_a_value_missing_is_noticed() {
        let connection = plan::empty_store();
        let mut statements = Statements::new(&connection);
        let mut search = statements.bind(Sql::AttemptPlace).unwrap();
        search.value("one of two").unwrap().find().unwrap();
    }

    #[test]
    fn no_statement_of_a_commit_collects_rows_first() {
        let connection = plan::empty_store();
        // A quota is put by people.
        for sql in Sql::ALL.into_iter().filter(|sql| *sql != Sql::QuotaPut) {
            assert!(!plan::collects(&connection, sql.text()), "{sql:?}");
        }
    }
}
