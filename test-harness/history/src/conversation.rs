//! What clients ask and are answered. Streams are told apart, in [`ReaderEvent`](crate::ReaderEvent).

use serde::{Deserialize, Serialize};

use crate::id::TaskId;
use crate::standing::{Listed, Outcome, Payload, Record, State};

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// End a task early.
    Cancel {
        /// Which.
        task: TaskId,
    },
    /// List tasks; the answer holds every page.
    Census {
        /// Only those in this state.
        state: Option<State>,
    },
    /// What the daemon has counted since it was started.
    Meter,
    /// How a task stands.
    Record {
        /// Which.
        task: TaskId,
    },
    /// What came of a task.
    Result {
        /// Which.
        task: TaskId,
    },
    /// Take a task.
    Submit {
        /// The client's own id for it, if it has one.
        own: Option<TaskId>,
        /// The number of the idempotency key that it comes under, if it comes under one that is never forgotten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<u64>,
        /// What it asks for.
        payload: Payload,
    },
}

/// Whether a request that was not carried out as asked has changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// It has not.
    No,
    /// Nobody can say yet.
    Unknown,
}

/// What a client is answered. Each question has one answer at most; a question without one, because the
/// client was killed, is as one that is left in doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Ask::Submit`]: the task is durable.
    Accepted {
        /// Its id.
        task: TaskId,
        /// The seed that it will run with.
        seed: u64,
        /// True if this is said to be the answer to an earlier request with the same id and payload.
        replayed: bool,
    },
    /// To [`Ask::Cancel`]: the cancel is durable, or the task had ended. The record is the one of the reply.
    Cancelled(Record),
    /// To [`Ask::Census`].
    Census(Vec<Listed>),
    /// The connection broke or the client lost its patience: nobody knows what was done.
    InDoubt,
    /// To [`Ask::Meter`].
    Meter {
        /// Tokens that the daemon has metered since it was started.
        tokens_out: u64,
    },
    /// To a question about a task: there is none under this id.
    Missing,
    /// To [`Ask::Record`].
    Record(Record),
    /// It was refused.
    Refused {
        /// The stable code, such as `ADMISSION_REJECT`.
        code: String,
        /// Whether something was changed all the same.
        applied: Applied,
    },
    /// To [`Ask::Result`].
    Result(Outcome),
}
