//! What a task is and how it stands, as records and results tell.

use serde::{Deserialize, Serialize};

use crate::id::TaskId;

/// What a client asked for. Two submissions are the same if their fingerprints are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Tells one body from another; any text that does so will do.
    pub fingerprint: String,
    /// Digest of the prompt, in the form in which records and engines are seen to name it.
    pub prompt: String,
    /// The class, by name.
    pub class: String,
    /// The seed, if the client gave one.
    pub seed: Option<u64>,
    /// Most tokens to generate, if the client said.
    pub max_tokens: Option<u64>,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A cancel is durable, the attempt has not ended.
    CancelRequested,
    /// Ended on demand. Final.
    Cancelled,
    /// Ended well. Final.
    Completed,
    /// Sent to a runner.
    Dispatched,
    /// Ended badly. Final.
    Failed,
    /// Given up until a person looks at it.
    Parked,
    /// Waits for a slot.
    Queued,
    /// Produces tokens.
    Running,
    /// Not eligible yet.
    Waiting,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::CancelRequested,
        Self::Cancelled,
        Self::Completed,
        Self::Dispatched,
        Self::Failed,
        Self::Parked,
        Self::Queued,
        Self::Running,
        Self::Waiting,
    ];

    /// True if nothing can happen to the task any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Completed | Self::Failed)
    }

    /// True if the task does not move by itself: it has ended, or waits for a person.
    #[must_use]
    pub const fn is_at_rest(self) -> bool {
        self.is_final() || matches!(self, Self::Parked)
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CancelRequested => "cancel_requested",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
            Self::Dispatched => "dispatched",
            Self::Failed => "failed",
            Self::Parked => "parked",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
        }
    }
}

/// Why a text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// Someone cancelled.
    Cancelled,
    /// The limit of tokens or of the context.
    Length,
    /// The model's own end.
    Stop,
}

/// A task's record, as a read of it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where it stands.
    pub state: State,
    /// Why it stands there: the code of its failure or, of a live or parked task, what the deployment says
    /// that it waits for. None if it says nothing.
    pub reason: Option<String>,
    /// Tokens of its stream so far; final once the state is.
    pub position: u64,
    /// Attempts begun.
    pub attempts: u32,
    /// Digest of the prompt, as in [`Payload::prompt`].
    pub prompt: String,
    /// The class, by name.
    pub class: String,
    /// The seed that it runs with.
    pub seed: u64,
}

/// A task's result, as a read of it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Where the task stands.
    pub state: State,
    /// The whole text; none before the end, and if the task failed.
    pub text: Option<String>,
    /// Why the text ends; none before the end, and if the task failed.
    pub finish: Option<Finish>,
    /// Code of the failure, if it failed.
    pub code: Option<String>,
    /// Tokens of the text as they were metered; none before the end.
    pub tokens_out: Option<u64>,
    /// Attempts begun.
    pub attempts: u32,
}

/// One row of a list of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Which task.
    pub task: TaskId,
    /// Where it stands.
    pub state: State,
}
