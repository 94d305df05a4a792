//! The readers' face.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use orchestrator_core::id::{AcceptSeq, Epoch, TaskId, TenantId};
use orchestrator_core::task::AttemptRecord;
use orchestrator_core::time::WallMs;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row};
use store::{
    CommitRow, Event, FeedStore, Named, ReadError, ReadFuture, ReadStore, TaskBody, TaskPage,
    TaskQuery, TaskRow, TaskText,
};
use tokio::sync::Semaphore;

use crate::codec::{Id, ShortId, Unsigned, unpack_text};
use crate::place::Place;
use crate::record::{Columns, read_attempt, read_task};
use crate::sql::{attempt_columns, task_columns};
use crate::{error, file};

/// Reads at once; more wait their turn.
const CONNECTIONS_MAX: usize = 4;

macro_rules! select_rows {
    ($($rest:expr),+) => {
        concat!("SELECT ", task_columns!(), ", metadata FROM task JOIN task_body ON task = seq ", $($rest),+)
    };
}

/// What every list ends with. ?1 tenant, ?2 state, ?3 priority, ?4 session, ?5 before, ?6 rows, ?7 project.
macro_rules! list_filters {
    () => {
        "AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR priority = ?3) \
         AND (?4 IS NULL OR session = ?4) AND (?7 IS NULL OR project = ?7) \
         AND seq < ?5 ORDER BY seq DESC LIMIT ?6"
    };
}

const GET: &str = select_rows!("WHERE id = ?1 AND tenant = ?2");
const LIST_BY_SESSION: &str = select_rows!("WHERE session = ?4 AND tenant = ?1 ", list_filters!());
const LIST_BY_STATE: &str = select_rows!("WHERE state = ?2 AND tenant = ?1 ", list_filters!());
const LIST_OF_ANYONE: &str = select_rows!("WHERE ?1 IS NULL ", list_filters!());

/// The newest of one state, from the index alone.
macro_rules! newest_in {
    ($state:literal) => {
        concat!(
            "SELECT seq FROM (SELECT seq FROM task INDEXED BY task_by_state WHERE state = '",
            $state,
            "' AND tenant = ?1 AND seq < ?5 AND (?3 IS NULL OR priority = ?3) \
             AND (?7 IS NULL OR project = ?7) ORDER BY seq DESC LIMIT ?6)"
        )
    };
    ($state:literal, $($others:literal),+) => {
        concat!(newest_in!($state), " UNION ALL ", newest_in!($($others),+))
    };
}

/// A tenant's tasks: the newest of each state, by its index.
const LIST_OF_TENANT: &str = select_rows!(
    "WHERE seq IN (",
    newest_in!(
        "waiting",
        "queued",
        "dispatched",
        "running",
        "cancel_requested",
        "completed",
        "failed",
        "cancelled",
        "parked"
    ),
    ") ",
    list_filters!()
);

const BODY: &str = "SELECT prompt, metadata FROM task_body JOIN task ON seq = task WHERE id = ?1";
const SEQ: &str = "SELECT seq FROM task WHERE id = ?1";
const WHOLE_TEXT: &str = "SELECT text, ends FROM task_text WHERE task = ?1";
const CHUNKS: &str = "SELECT text, ends FROM chunk WHERE task = ?1 ORDER BY from_token";
const ATTEMPTS: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    " FROM attempt a JOIN task t ON t.seq = a.task \
     WHERE a.task = (SELECT seq FROM task WHERE id = ?1) ORDER BY a.number"
);
const COMMITS: &str = "SELECT commit_seq, epoch, at_ms, events FROM commit_log WHERE commit_seq > ?1 \
                       ORDER BY commit_seq LIMIT ?2";

/// Reads from the file of a [`crate::SqliteStore`], on threads of the runtime's own for blocking work.
/// Clones share the connections.
#[derive(Clone, Debug)]
pub struct SqliteReader(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    place: Arc<Place>,
    idle: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
}

impl SqliteReader {
    pub(crate) fn new(path: PathBuf, place: Arc<Place>) -> Self {
        Self(Arc::new(Pool {
            path,
            place,
            idle: Mutex::default(),
            turns: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        }))
    }

    /// Reads in one snapshot, off the async threads.
    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> ReadFuture<'_, T> {
        let pool = Arc::clone(&self.0);
        Box::pin(async move {
            let turn = Arc::clone(&pool.turns).acquire_owned().await;
            let turn = turn.map_err(|error| ReadError(error.to_string()))?;
            let found = tokio::task::spawn_blocking(move || {
                let found = pool.read(read);
                // Here, so that a read whose reader has gone still counts until it is done.
                drop(turn);
                found
            })
            .await;
            found.map_err(|error| ReadError(error.to_string()))?
        })
    }
}

impl Pool {
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T>,
    ) -> std::result::Result<T, ReadError> {
        let connection = self.connection().map_err(|error| error::reading(&error))?;
        // After it was opened: what was put in the file's place before that is not read, and the connection not
        // used again.
        if let Some(trouble) = self.place.trouble() {
            return Err(ReadError(trouble));
        }
        let found = in_one_snapshot(&connection, read).map_err(|error| error::reading(&error))?;
        // A connection that failed is not used again.
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        Ok(found)
    }

    fn connection(&self) -> Result<Connection> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(connection) => Ok(connection),
            None => file::open_reader(&self.path),
        }
    }
}

fn in_one_snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    let snapshot = connection.unchecked_transaction()?;
    let found = read(&snapshot)?;
    snapshot.finish()?;
    Ok(found)
}

impl ReadStore for SqliteReader {
    fn task_get(&self, tenant: TenantId, task: TaskId) -> ReadFuture<'_, Option<TaskRow>> {
        self.read(move |connection| {
            connection
                .prepare_cached(GET)?
                .query_row((Id::new(task.0), ShortId::new(tenant.0)), read_row)
                .optional()
        })
    }

    fn task_list(&self, query: TaskQuery) -> ReadFuture<'_, TaskPage> {
        self.read(move |connection| list(connection, &query))
    }

    fn task_body(&self, task: TaskId) -> ReadFuture<'_, Option<TaskBody>> {
        self.read(move |connection| {
            connection
                .prepare_cached(BODY)?
                .query_row([Id::new(task.0)], |row| {
                    Ok(TaskBody {
                        prompt: row.get(0)?,
                        metadata: read_metadata(row, 1)?,
                    })
                })
                .optional()
        })
    }

    fn task_text(&self, task: TaskId) -> ReadFuture<'_, Option<TaskText>> {
        self.read(move |connection| {
            let seq: Option<i64> = connection
                .prepare_cached(SEQ)?
                .query_row([Id::new(task.0)], |row| row.get(0))
                .optional()?;
            seq.map(|seq| text(connection, seq)).transpose()
        })
    }

    fn attempt_list(&self, task: TaskId) -> ReadFuture<'_, Vec<AttemptRecord>> {
        self.read(move |connection| {
            connection
                .prepare_cached(ATTEMPTS)?
                .query_map([Id::new(task.0)], |row| {
                    read_attempt(&mut Columns::new(row))
                })?
                .collect()
        })
    }
}

impl FeedStore for SqliteReader {
    fn commit_list(&self, after: u64, limit: u32) -> ReadFuture<'_, Vec<CommitRow>> {
        self.read(move |connection| {
            connection
                .prepare_cached(COMMITS)?
                .query_map((Unsigned(after), limit), read_commit)?
                .collect()
        })
    }
}

fn list(connection: &Connection, query: &TaskQuery) -> Result<TaskPage> {
    let before = query.before.unwrap_or(AcceptSeq(i64::MAX.cast_unsigned()));
    let mut statement = connection.prepare_cached(list_statement(query))?;
    let found = statement.query_map(
        (
            query.tenant.map(|tenant| ShortId::new(tenant.0)),
            query.state,
            query.priority.as_ref().map(Named::name),
            query.session.map(|session| Id::new(session.0)),
            Unsigned(before.0),
            // One more than asked for tells whether there are more.
            i64::from(query.limit) + 1,
            query.project.map(|project| ShortId::new(project.0)),
        ),
        read_row,
    )?;
    let mut rows = found.collect::<Result<Vec<_>>>()?;
    let more = rows.len() > query.limit as usize;
    rows.truncate(query.limit as usize);
    Ok(TaskPage { rows, more })
}

/// The statement whose index leads with the narrowest filter.
fn list_statement(query: &TaskQuery) -> &'static str {
    match query {
        TaskQuery { tenant: None, .. } => LIST_OF_ANYONE,
        TaskQuery {
            session: Some(_), ..
        } => LIST_BY_SESSION,
        TaskQuery { state: Some(_), .. } => LIST_BY_STATE,
        _ => LIST_OF_TENANT,
    }
}

fn text(connection: &Connection, seq: i64) -> Result<TaskText> {
    let whole = connection
        .prepare_cached(WHOLE_TEXT)?
        .query_row([seq], read_text)
        .optional()?;
    if let Some(whole) = whole {
        return Ok(whole);
    }
    let mut statement = connection.prepare_cached(CHUNKS)?;
    let mut text = TaskText::default();
    for chunk in statement.query_map([seq], read_text)? {
        text.append(&chunk?);
    }
    Ok(text)
}

fn read_row(row: &Row<'_>) -> Result<TaskRow> {
    let mut columns = Columns::new(row);
    Ok(TaskRow {
        record: read_task(&mut columns)?,
        metadata: read_metadata(row, columns.taken())?,
    })
}

fn read_metadata(row: &Row<'_>, column: usize) -> Result<Vec<(String, String)>> {
    match row.get_ref(column)?.as_str_or_null()? {
        None => Ok(Vec::new()),
        Some(json) => serde_json::from_str(json).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
        }),
    }
}

fn read_text(row: &Row<'_>) -> Result<TaskText> {
    let ends = row.get_ref(1)?.as_blob()?;
    unpack_text(row.get(0)?, ends).ok_or_else(|| {
        let error = "the frame boundaries do not fit the text";
        rusqlite::Error::FromSqlConversionFailure(1, Type::Blob, error.into())
    })
}

fn read_commit(row: &Row<'_>) -> Result<CommitRow> {
    let events = Event::unpack(row.get_ref(3)?.as_blob()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Blob, error.into()))?;
    Ok(CommitRow {
        commit_seq: row.get::<_, Unsigned>(0)?.0,
        epoch: Epoch(row.get::<_, Unsigned>(1)?.0),
        at: WallMs(row.get::<_, Unsigned>(2)?.0),
        events,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use orchestrator_core::id::{SessionId, TenantId};

    use orchestrator_core::task::TaskState;
    use test_harness_store_suite::STATES;

    use super::*;
    use crate::plan;

    #[test]
    fn each_list_walks_its_index_backwards() {
        let connection = plan::empty_store();
        let any = TaskQuery {
            tenant: Some(TenantId::DEFAULT),
            ..TaskQuery::default()
        };
        for (query, index) in [
            (
                TaskQuery {
                    state: Some("queued"),
                    ..any.clone()
                },
                "task_by_state (state=? AND tenant=? AND seq<?)",
            ),
            (
                TaskQuery {
                    session: Some(SessionId(1)),
                    ..any.clone()
                },
                "task_by_session (session=? AND tenant=? AND seq<?)",
            ),
        ] {
            let steps = plan::steps(&connection, list_statement(&query));
            assert!(steps[0].contains(index), "{query:?}: {steps:?}");
            assert!(!plan::sorts(&steps), "{query:?}: {steps:?}");
        }
    }

    #[test]
    fn a_tenant_s_list_reads_one_page_of_each_state_from_the_index_alone() {
        let connection = plan::empty_store();
        let steps = plan::steps(&connection, LIST_OF_TENANT);
        let by_state = "COVERING INDEX task_by_state (state=? AND tenant=? AND seq<?)";
        assert_eq!(
            steps.iter().filter(|step| step.contains(by_state)).count(),
            STATES
                .map(TaskState::name)
                .iter()
                .collect::<BTreeSet<_>>()
                .len(),
            "{steps:?}"
        );
        let of_all =
            |step: &String| step.contains("SEARCH task USING INTEGER PRIMARY KEY (rowid=?)");
        assert!(steps.iter().any(of_all), "{steps:?}");
        for state in STATES {
            let name = state.name();
            assert!(LIST_OF_TENANT.contains(&format!("state = '{name}'")));
        }
    }

    #[test]
    fn single_reads_use_keys() {
        let connection = plan::empty_store();
        for sql in [GET, BODY, SEQ, WHOLE_TEXT, CHUNKS, ATTEMPTS, COMMITS] {
            let steps = plan::steps(&connection, sql);
            assert!(
                !plan::scans(&steps) && !plan::sorts(&steps),
                "{sql}: {steps:?}"
            );
        }
    }
}
