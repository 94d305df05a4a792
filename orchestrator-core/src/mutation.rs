//! Everything the machine can remember. One step's mutations are committed together or not at all.

use crate::id::{AttemptId, PayloadRef, SessionId, TaskId};
use crate::session::SessionRecord;
use crate::task::{AttemptRecord, TaskRecord};

/// One durable change.
#[derive(Clone, Debug, PartialEq)]
pub enum Mutation {
    /// A new attempt; its id must not exist.
    AttemptInsert(Box<AttemptRecord>),
    /// An attempt's end; the row must exist and be live.
    AttemptUpdate(Box<AttemptRecord>),
    /// Tokens `from..to` of a task's text; `from` must equal the durable position.
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
    /// A session is over; the row must exist.
    SessionDelete(SessionId),
    /// A session as it is now, new or changed.
    SessionPut(Box<SessionRecord>),
    /// A new task with its body; its id must not exist.
    TaskInsert {
        /// The row, revision 1.
        record: Box<TaskRecord>,
        /// The prompt's text and whatever else only the store needs.
        body: PayloadRef,
    },
    /// A task's text, whole; takes the place of its chunks.
    TextPut {
        /// Whose.
        task: TaskId,
        /// The text with its frame boundaries.
        text: PayloadRef,
    },
    /// A task's row; the stored revision must be one less.
    TaskUpdate(Box<TaskRecord>),
}
