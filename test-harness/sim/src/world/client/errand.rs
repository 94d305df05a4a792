//! What a client is about, and the messages between it and a daemon.

use orchestrator_core::id::{Digest, SessionId, TaskId};
use orchestrator_core::idempotency::IdempotencyKey;
use orchestrator_core::task::TaskSpec;
use orchestratord::stream::{Frame, StreamId};
use test_harness_history::{Answer, ReaderId, RequestId};

use crate::plan::{Act, Habit};

/// What a client asks a daemon.
#[derive(Debug)]
pub(crate) enum Question {
    Cancel(TaskId),
    Create(Box<New>),
    CreateMany(Vec<New>),
    EndSession(SessionId),
    Look(TaskId),
    Open {
        task: TaskId,
        after: Option<StreamId>,
    },
    Operate(Box<orchestrator_core::input::Ask>),
    Outcome(TaskId),
    Requeue(TaskId),
}

/// A task to create.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) id: TaskId,
    /// True if the id was made for this very question.
    pub(crate) fresh: bool,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) fingerprint: Digest,
    pub(crate) spec: TaskSpec,
    pub(crate) prompt: String,
    /// Number of the key that it comes with.
    pub(crate) api_key: Option<u64>,
}

/// What reaches an errand.
#[derive(Debug)]
pub(crate) enum Message {
    /// It is time to try again.
    Again,
    Answer(Answer),
    /// To what was asked together, in its order.
    Answers(Vec<Answer>),
    Frames {
        frames: Vec<Frame>,
        /// True if the daemon closes after them.
        over: bool,
    },
    /// The connection broke, or was never made.
    Lost,
    NothingMore,
    /// Frames will come.
    Opened {
        /// The daemon's number for this reader.
        reader: u64,
    },
    /// It has waited for long enough.
    Patience,
}

/// What an errand is for.
#[derive(Debug)]
pub(crate) enum Aim {
    Cancel(TaskId),
    EndSession(SessionId),
    Look(TaskId),
    Operate(Act),
    Outcome(TaskId),
    Read(ReadAim),
    Requeue(TaskId),
    Submit {
        /// Number of the task.
        task: usize,
        named: bool,
        changed: bool,
        read: Option<Habit>,
    },
    SubmitMany(Vec<Sent>),
}

/// One task of several that are handed over together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// Number of the task.
    pub(crate) task: usize,
    pub(crate) named: bool,
    pub(crate) changed: bool,
    pub(crate) read: Option<Habit>,
}

/// A stream that is read, over all its connections.
#[derive(Debug)]
pub(crate) struct ReadAim {
    pub(crate) task: TaskId,
    pub(crate) habit: Habit,
    pub(crate) reader: ReaderId,
    /// The last event with an id.
    pub(crate) after: Option<StreamId>,
    /// Frames on this connection.
    pub(crate) frames: u32,
    /// The daemon's number of this connection's reader, once it is open.
    pub(crate) open: Option<u64>,
}

/// One errand.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) client: usize,
    pub(crate) aim: Aim,
    /// Whom it asks.
    pub(crate) daemon: usize,
    /// Counts its tries and connections; what belongs to an earlier one is stale.
    pub(crate) turn: u32,
    /// The process that it has a connection to.
    pub(crate) peer: Option<(usize, u64)>,
    /// The questions that have no answer yet, for the history.
    pub(crate) requests: Vec<RequestId>,
    /// When the last thing that was sent to it arrives.
    pub(crate) heard_at: crate::agenda::Micros,
    pub(crate) over: bool,
}
