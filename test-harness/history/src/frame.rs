//! What readers of a task's stream see.

use serde::{Deserialize, Serialize};

use crate::id::{DaemonId, TaskId};
use crate::place::Place;
use crate::standing::Finish;

/// What happens to a reader. A reader outlives its connections: one that comes back is the same reader, and
/// goes on with the text that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderEvent {
    /// Its connection is over. Frames that come after belong to the next one.
    Closed(ClosedBy),
    /// A frame came.
    Frame(Frame),
    /// It is told that it has everything, the end included.
    NothingMore,
    /// It asks to be let in; told before the question leaves it. Frames may come from now on.
    Opened {
        /// Of which task.
        task: TaskId,
        /// Where it goes on.
        from: ReadFrom,
        /// Which daemon it reads from.
        daemon: DaemonId,
    },
    /// It was refused.
    Refused {
        /// The stable code.
        code: String,
    },
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadFrom {
    /// After the last event with an id that it has seen.
    After(Place),
    /// With nothing; what it had, it forgets.
    Start,
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// The reader left.
    Client,
    /// Neither: something between them broke, or one of them was killed.
    Fault,
    /// The daemon, in order, as after a terminal frame.
    Server,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The end of a task that has a text.
    End {
        /// Where the reader stands after it.
        place: Place,
        /// Why the text ends.
        finish: Finish,
        /// Tokens of the text as they were metered.
        tokens_out: u64,
    },
    /// The end of a task without a text that counts, or of this reader.
    Error {
        /// Where the reader stands after it; none if the text is not the reader's.
        place: Option<Place>,
        /// The stable code.
        code: String,
    },
    /// Where the task stands.
    Metrics {
        /// Number of the present attempt, 0 before the first.
        attempt: u32,
        /// Tasks ahead, while it waits.
        queue_position: Option<u64>,
    },
    /// The task was dispatched for the first time.
    Started {
        /// Number of the attempt.
        attempt: u32,
        /// The seed that it runs with.
        seed: u64,
    },
    /// One token.
    Token {
        /// Where the reader stands after it, as the frame's id says.
        place: Place,
        /// Its index from 0, as the frame's data says.
        index: u64,
        /// Its text.
        text: String,
    },
}

impl Frame {
    /// True if nothing may follow.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::End { .. } | Self::Error { .. })
    }
}
