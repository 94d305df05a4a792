//! Everything the machine can remember. One step's mutations are committed together or not at all.
//!
//! Within a step each row is written once, as it stands at the end of the step
//! (a task that is dispatched as it is accepted has one [`Mutation::TaskInsert`], in state `dispatched`).
//! The order within a step is that of the guards: tasks inserted, chunks appended, attempts ended,
//! attempts begun, texts put, tasks updated, sessions put or deleted, keys put, quotas and their levels put, pauses put,
//! idempotency keys bound, forgotten, bulks forgotten, put.

use std::sync::Arc;

use crate::bulk::BulkRecord;
use crate::id::{AttemptId, BulkId, PayloadRef, SessionKey, TaskId};
use crate::idempotency::IdempotencyRecord;
use crate::key::KeyRecord;
use crate::queue::PauseRecord;
use crate::quota::{QuotaLevels, QuotaRecord};
use crate::session::SessionRecord;
use crate::task::{AttemptRecord, TaskRecord};

/// One durable change.
#[derive(Clone, Debug, PartialEq)]
pub enum Mutation {
    /// A new attempt; its id must not exist.
    AttemptInsert(Box<AttemptRecord>),
    /// An attempt's end; the row must exist and be live.
    AttemptUpdate(Box<AttemptRecord>),
    /// A bulk is forgotten; the row must exist.
    BulkForget(BulkId),
    /// A bulk as it is now, new or changed; what of it never changes must be as it was, and it must not have ended.
    BulkPut(Box<BulkRecord>),
    /// Tokens `from..to` of a task's text; `from` must equal the position in the task's row, which moves to
    /// `to` with the [`Mutation::TaskUpdate`] that follows in the same step.
    ChunkAppend {
        /// Whose.
        task: TaskId,
        /// Which attempt made them.
        attempt: AttemptId,
        /// Position of the first token.
        from: u64,
        /// Position after the last one.
        to: u64,
        /// The text.
        chunk: PayloadRef,
    },
    /// An idempotency key and its task; its number must lie above all that are kept.
    IdempotencyBind(IdempotencyRecord),
    /// Idempotency keys up to this number are forgotten; there must be one.
    IdempotencyForget {
        /// Number of the newest that goes.
        through: u64,
    },
    /// A key as it is now, new or changed; what of it never changes must be as it was.
    KeyPut(Box<KeyRecord>),
    /// A queue was held or let go on; one row for each pool, and one for all.
    PausePut(Box<PauseRecord>),
    /// What flows back with time, of one who is counted.
    QuotaLevelsPut(Box<QuotaLevels>),
    /// A quota as it is now; the stored revision must be one less.
    QuotaPut(Box<QuotaRecord>),
    /// A session is over; the row must exist.
    SessionDelete(SessionKey),
    /// A session as it is now, new or changed.
    SessionPut(Box<SessionRecord>),
    /// A new task with its body; its id must not exist.
    TaskInsert {
        /// The row, revision 1.
        record: Arc<TaskRecord>,
        /// The prompt's text and whatever else only the store needs.
        body: PayloadRef,
    },
    /// A task's text, whole; takes the place of its chunks. Only ever put in the step that ends the task.
    TextPut {
        /// Whose.
        task: TaskId,
        /// The text with its frame boundaries.
        text: PayloadRef,
    },
    /// A task's row; the stored revision must be one less.
    TaskUpdate(Arc<TaskRecord>),
}
