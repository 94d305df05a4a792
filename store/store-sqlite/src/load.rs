//! What an owner starts from, and the cold facts it asks for later.

use orchestrator_core::id::{AcceptSeq, Epoch, TaskId};
use orchestrator_core::key::KeyRecord;
use orchestrator_core::task::TaskRecord;
use rusqlite::{Connection, OptionalExtension, Result, Row, TransactionBehavior};
use store::{Loaded, Probe};

use crate::bulk::read_bulk;
use crate::codec::{Id, Unsigned};
use crate::idempotency::read_idempotency;
use crate::key::read_key;
use crate::quota::{read_levels, read_pause, read_quota};
use crate::record::{Columns, read_attempt, read_task};
use crate::session::read_session;
use crate::sql::{attempt_columns, task_columns};

const LIVE_TASKS: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM task WHERE state IN \
     ('waiting', 'queued', 'dispatched', 'running', 'cancel_requested', 'parked')"
);

const LIVE_ATTEMPTS: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    " FROM attempt a INDEXED BY attempt_live CROSS JOIN task t ON t.seq = a.task WHERE a.state = 'live' AND t.state IN \
     ('waiting', 'queued', 'dispatched', 'running', 'cancel_requested', 'parked') \
     ORDER BY a.task, a.number"
);

const SESSIONS: &str = "SELECT id, tenant, turns, replica, touched_at_ms, began_seq, budget_tokens, budget_time_ms, budget_cost_micros, \
     spent_tokens, spent_time_ms, spent_cost_micros, ttl_ms, put_at_ms, put_by FROM session ORDER BY id, tenant";

const KEYS: &str = "SELECT id, mac, server_key, tenant, project, name, scopes, class_max, created_at_ms, \
                    created_by, expires_at_ms, revoked_at_ms, replaced_by FROM api_key";

const IDEMPOTENCY: &str = "SELECT number, key, task, at_ms FROM idempotency ORDER BY number";

const QUOTAS: &str = "SELECT subject, tenant, tasks_live_max, requests_per_s, requests_burst, tokens_per_min, \
                      kv_mb_max, weight, revision, put_at_ms, put_by FROM quota ORDER BY subject";

const QUOTA_LEVELS: &str = "SELECT subject, request_units, request_at_ms, token_units, token_at_ms \
                            FROM quota_level ORDER BY subject";

const PAUSES: &str = "SELECT pool, paused, at_ms, by FROM queue_pause ORDER BY pool";

const BULKS: &str = "SELECT id, tenant, action, project, state, priority, session, accepted_from_ms, accepted_before_ms, \
                     begun_by, begun_at_ms, through, place, matched, changed, ended_at_ms FROM bulk ORDER BY id";

const ENDED: &str = concat!(
    "SELECT ",
    task_columns!(),
    " FROM task WHERE id = ?1 AND state IN ('completed', 'failed', 'cancelled')"
);

/// Begins the term after `epoch` and says how far the log got; none if `epoch` is not the newest.
pub(crate) fn next_term(connection: &Connection, epoch: Epoch) -> Result<Option<Probe>> {
    connection
        .query_row(
            "UPDATE ownership SET epoch = epoch + 1 WHERE shard = 0 AND epoch = ?1 \
             RETURNING epoch, commit_seq",
            [Unsigned(epoch.0)],
            |row| {
                Ok(Probe {
                    epoch: Epoch(row.get::<_, Unsigned>(0)?.0),
                    commit_seq: row.get::<_, Unsigned>(1)?.0,
                })
            },
        )
        .optional()
}

/// Takes back a transaction that an error left open.
pub(crate) fn take_back(connection: &Connection) -> Result<()> {
    if connection.is_autocommit() {
        Ok(())
    } else {
        connection.execute_batch("ROLLBACK")
    }
}

/// Begins a new term, whatever the one before was, and reads everything live. A store that cannot be read
/// keeps its term and its bytes.
pub(crate) fn load(connection: &mut Connection) -> Result<Loaded> {
    take_back(connection)?;
    let snapshot = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    snapshot.execute("UPDATE ownership SET epoch = epoch + 1 WHERE shard = 0", [])?;
    let mut loaded = snapshot.query_row(
        "SELECT epoch, commit_seq, accept_seq FROM ownership WHERE shard = 0",
        [],
        |row| {
            Ok(Loaded {
                epoch: Epoch(row.get::<_, Unsigned>(0)?.0),
                commit_seq: row.get::<_, Unsigned>(1)?.0,
                accept_seq: AcceptSeq(row.get::<_, Unsigned>(2)?.0),
                ..Loaded::default()
            })
        },
    )?;
    loaded.tasks = all(&snapshot, LIVE_TASKS, read_task)?;
    loaded.tasks.sort_unstable_by_key(|task| task.seq);
    loaded.attempts = all(&snapshot, LIVE_ATTEMPTS, read_attempt)?;
    loaded.sessions = all(&snapshot, SESSIONS, read_session)?;
    loaded.keys = keys(&snapshot)?;
    loaded.idempotency = all(&snapshot, IDEMPOTENCY, read_idempotency)?;
    loaded.quotas = all(&snapshot, QUOTAS, read_quota)?;
    loaded.quota_levels = all(&snapshot, QUOTA_LEVELS, read_levels)?;
    loaded.pauses = all(&snapshot, PAUSES, read_pause)?;
    loaded.bulks = all(&snapshot, BULKS, read_bulk)?;
    snapshot.commit()?;
    Ok(loaded)
}

/// Every key, by id.
pub(crate) fn keys(connection: &Connection) -> Result<Vec<KeyRecord>> {
    let mut keys = all(connection, KEYS, read_key)?;
    // Ids are kept as signed numbers, whose order is another.
    keys.sort_unstable_by_key(|key| key.id);
    Ok(keys)
}

/// Of the tasks named, those that have ended.
pub(crate) fn ended(connection: &Connection, tasks: &[TaskId]) -> Result<Vec<TaskRecord>> {
    let mut statement = connection.prepare_cached(ENDED)?;
    let mut found = Vec::new();
    // One snapshot for all of them: a transaction that has read keeps what it saw.
    let snapshot = connection.unchecked_transaction()?;
    for task in tasks {
        let record = statement
            .query_row([Id::new(task.0)], |row| read_task(&mut Columns::new(row)))
            .optional()?;
        found.extend(record);
    }
    snapshot.finish()?;
    Ok(found)
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&mut Columns<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row: &Row<'_>| read(&mut Columns::new(row)))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    #[test]
    fn loading_and_prefetching_use_indexes() {
        let connection = plan::empty_store();
        for (sql, index) in [
            (LIVE_TASKS, "INDEX task_by_state (state=?)"),
            (LIVE_ATTEMPTS, "INDEX attempt_live"),
            (ENDED, "INDEX task_by_id (id=?)"),
        ] {
            let steps = plan::steps(&connection, sql);
            assert!(steps[0].contains(index), "{sql}: {steps:?}");
            assert!(!plan::sorts(&steps), "{sql}: {steps:?}");
        }
    }
}
