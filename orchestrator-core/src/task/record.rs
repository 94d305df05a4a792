//! What is remembered of a task and of its attempts.

use crate::eta::{StartBand, StartOutcome};
use crate::id::{
    AcceptSeq, AttemptId, Digest, PrincipalId, ProjectId, ReplicaName, SessionKey, TaskId, TenantId,
};
use crate::placement::ReplicaSetKey;
use crate::task::{Engine, TaskSpec};
use crate::time::WallMs;

/// What a task in [`TaskState::Waiting`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitingFor {
    /// The pause before another attempt.
    Backoff,
    /// The time that it is to run at.
    Time,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// Not eligible yet.
    Waiting(WaitingFor),
    /// Eligible; waits for a slot.
    Queued,
    /// An attempt was ordered and has not shown a sign of life.
    Dispatched,
    /// An attempt produces tokens.
    Running,
    /// A cancel is durable; the attempt has not ended yet.
    CancelRequested,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Ended on demand.
    Cancelled,
    /// Given up until a person looks at it.
    Parked,
}

impl TaskState {
    /// Its name on the wire, without what a waiting task waits for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Queued => "queued",
            Self::Dispatched => "dispatched",
            Self::Running => "running",
            Self::CancelRequested => "cancel_requested",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Parked => "parked",
        }
    }

    /// True while no attempt works on the task and one may still begin by itself.
    #[must_use]
    pub fn is_before_dispatch(self) -> bool {
        matches!(self, Self::Waiting(_) | Self::Queued)
    }

    /// True if nothing can happen to the task any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Why a text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FinishReason {
    /// Someone cancelled.
    Cancelled,
    /// The limit of tokens or of the context.
    Length,
    /// The model's own end.
    Stop,
}

/// Why a task or an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskFault {
    /// The prompt and the tokens asked for do not fit the context. Not retried.
    ContextExceeded,
    /// Its deadline passed before it could run, or came too close. Not retried.
    DeadlineUnmet,
    /// The engine was silent for too long. Counts against the attempt limit.
    DecodeTimeout,
    /// The engine refused the request for a reason that will not go away. Not retried.
    EngineRefused,
    /// The owner or its runner was lost, not the engine. Counts against the limit of interruptions.
    Interrupted,
    /// The pool gave up before the task could run.
    PoolUnavailable,
    /// Dropped from a full queue in favour of a newcomer.
    QueueFullDropLru,
    /// Dropped from a full queue in favour of a newcomer of a more urgent class.
    QueueFullShed,
    /// Tokens were released by a replica set that no longer exists.
    ReplicaSetGone,
    /// A replay gave another text than the one released. Not retried.
    StreamDiverged,
    /// The engine broke off. Counts against the attempt limit.
    WorkerReset,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskEnd {
    /// With a text, whole or (if cancelled) cut short.
    Finished {
        /// Why the text ends.
        finish: FinishReason,
        /// Tokens of the input; 0 if it never ran, or was cancelled before a runner told.
        tokens_in: u64,
        /// Tokens of the text.
        tokens_out: u64,
        /// Milliseconds from the first to the last token.
        decode_ms: u64,
    },
    /// Without one that counts.
    Failed {
        /// What went wrong.
        fault: TaskFault,
        /// What happened, for a person.
        detail: String,
    },
}

/// Facts of the first dispatch, fixed from then on; the `started` frame shows them to every reader.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// When.
    pub at: WallMs,
    /// Where.
    pub replica: ReplicaName,
    /// Kind of engine.
    pub engine: Engine,
    /// Version that the engine reported.
    pub engine_version: String,
    /// Digest of the model file.
    pub model_digest: Digest,
}

/// The newest attempt, as the task's row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptHead {
    /// Its id.
    pub id: AttemptId,
    /// Its number, from 1.
    pub number: u32,
    /// Where it runs.
    pub replica: ReplicaName,
}

/// What is remembered of a task. The store holds one row per task; `revision` guards each update.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRecord {
    /// Its id.
    pub id: TaskId,
    /// Place in the order of acceptance.
    pub seq: AcceptSeq,
    /// Whose it is.
    pub tenant: TenantId,
    /// The project it belongs to.
    pub project: ProjectId,
    /// Who created it.
    pub created_by: PrincipalId,
    /// SHA-256 of the canonical request body before defaults: tells a repeat from a conflict.
    pub fingerprint: Digest,
    /// What was asked for.
    pub spec: TaskSpec,
    /// When it was accepted.
    pub accepted_at: WallMs,
    /// Tasks ahead at acceptance.
    pub accepted_position: u64,
    /// Milliseconds to the start, as estimated at acceptance.
    pub accepted_eta_ms: u64,
    /// Between when and when the start was expected at acceptance, if enough was measured.
    pub accepted_band: Option<StartBand>,

    /// Counts the writes of this row, from 1.
    pub revision: u64,
    /// Where it stands.
    pub state: TaskState,
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts that an engine failed.
    pub failures: u32,
    /// Attempts lost with their owner or runner since it was accepted, or taken back into the queue.
    pub interruptions: u32,
    /// The newest attempt, while it is not known to have ended.
    pub attempt: Option<AttemptHead>,
    /// Replicas that may continue the text, once tokens may have been released.
    pub replica_set: Option<ReplicaSetKey>,
    /// Facts of the first dispatch; apart, since most tasks in memory have not begun.
    pub started: Option<Box<Started>>,
    /// Durable tokens of the text so far.
    pub position: u64,
    /// Earliest next attempt, while waiting.
    pub not_before: Option<WallMs>,
    /// When it ended.
    pub ended_at: Option<WallMs>,
    /// How it ended; for a parked task: why it was given up.
    pub end: Option<TaskEnd>,
}

impl TaskRecord {
    /// The session it runs in, if it runs in one.
    #[must_use]
    pub fn session_key(&self) -> Option<SessionKey> {
        let session = self.spec.session?;
        Some(SessionKey::new(self.tenant, session))
    }

    /// When it became eligible by the wall clock, if it was accepted for later.
    #[must_use]
    pub fn scheduled_at(&self) -> Option<WallMs> {
        self.spec.run_at.filter(|at| *at > self.accepted_at)
    }

    /// Where its start lay in what was promised at acceptance. `None` before it started, where nothing was
    /// promised, and where it started as it was accepted.
    #[must_use]
    pub fn start_outcome(&self) -> Option<StartOutcome> {
        let band = self.accepted_band.filter(|band| band.high_ms > 0)?;
        let started = self.started.as_ref()?;
        Some(band.judge(started.at - self.accepted_at))
    }

    /// Did it end within its deadline? `None` without one, before the end, and if it was cancelled.
    #[must_use]
    pub fn deadline_met(&self) -> Option<bool> {
        let deadline_ms = self.spec.deadline_ms?;
        let took_ms = self.ended_at? - self.accepted_at;
        match self.end.as_ref()? {
            TaskEnd::Finished {
                finish: FinishReason::Cancelled,
                ..
            } => None,
            TaskEnd::Finished { .. } => Some(took_ms <= deadline_ms),
            TaskEnd::Failed { .. } => Some(false),
        }
    }
}

/// Where an attempt stands.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptState {
    /// Under way, as far as is known.
    Live,
    /// Ended with a text.
    Finished(FinishReason),
    /// Ended without.
    Failed(TaskFault),
}

/// One row of a task's history.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRecord {
    /// Its id.
    pub id: AttemptId,
    /// The task it tries.
    pub task: TaskId,
    /// Its number, from 1.
    pub number: u32,
    /// Where it runs.
    pub replica: ReplicaName,
    /// Replica set of that replica.
    pub replica_set: ReplicaSetKey,
    /// Term of the owner that ordered it.
    pub epoch: crate::id::Epoch,
    /// When it was ordered.
    pub began_at: WallMs,
    /// When its end became known.
    pub ended_at: Option<WallMs>,
    /// Where it stands.
    pub state: AttemptState,
    /// Milliseconds from acceptance of the task to the attempt's first token, if it had one.
    pub first_token_ms: Option<u64>,
    /// What happened, for a person; empty if nothing did.
    pub detail: String,
}
