//! Idempotency keys as rows.

use orchestrator_core::id::TaskId;
use orchestrator_core::idempotency::{IdempotencyKey, IdempotencyRecord};
use orchestrator_core::time::WallMs;
use rusqlite::Result;

use crate::codec::{Id, Unsigned};
use crate::record::Columns;
use crate::sql::Binder;

/// Binds a key behind all that are kept.
pub(crate) const IDEMPOTENCY_BIND: &str =
    "INSERT INTO idempotency (number, key, task, at_ms) VALUES (?1, ?2, ?3, ?4)";

/// A key that would not come before this one.
pub(crate) const IDEMPOTENCY_BEHIND: &str =
    "SELECT number FROM idempotency WHERE number >= ?1 LIMIT 1";

/// Binds a key with its task.
pub(crate) fn bind_idempotency(to: &mut Binder<'_, '_>, record: &IdempotencyRecord) -> Result<()> {
    to.value(Unsigned(record.number))?
        .value(Id::new(record.key.0))?
        .value(Id::new(record.task.0))?
        .value(Unsigned(record.at.0))?;
    Ok(())
}

/// Reads a key with its task.
pub(crate) fn read_idempotency(from: &mut Columns<'_>) -> Result<IdempotencyRecord> {
    Ok(IdempotencyRecord {
        number: from.number()?,
        key: IdempotencyKey(from.take::<Id>()?.value()),
        task: TaskId(from.take::<Id>()?.value()),
        at: WallMs(from.number()?),
    })
}
