//! Everything that can be refused, with the figures that explain it.

use crate::eta::{Forecast, StartBand};
use crate::id::{KeyId, ModelRef, PoolName, PrincipalId, ProjectId, SessionId, TaskId, TenantId};
use crate::placement::{Candidate, VerdictCounts};
use crate::queue::{ClassName, FullPolicy};
use crate::quota::QuotaRefusal;
use crate::session::Shortfall;
use crate::task::{Engine, TaskState};
use crate::time::WallMs;

/// Why a command was not carried out. A refusal leaves the machine exactly as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It brings a budget for its session, and runs in none.
    BudgetSessionless,
    /// What its session may use does not suffice.
    BudgetSpent {
        /// Which session.
        session: SessionId,
        /// What is short, and by how much.
        short: Shortfall,
    },
    /// As many bulks of the tenant run as may.
    BulksFull {
        /// When it may be worth trying again.
        retry_after_ms: u64,
    },
    /// There is no such class.
    ClassUnknown {
        /// Its name.
        class: ClassName,
        /// What asked for it.
        by: ClassAsk,
        /// Those that could have been named, the most urgent first.
        known: Vec<ClassName>,
    },
    /// Even the fewest tokens that the prompt can have, or the context asked for, do not fit any context
    /// that could serve it.
    ContextExceeded {
        /// Fewest tokens of the prompt.
        tokens_least: u64,
        /// Least context asked for, in tokens, if one was.
        ctx_asked: Option<u32>,
        /// Largest context, in tokens, among the pools that could serve it.
        ctx_max: u32,
    },
    /// Its deadline passes before the time that it is to run at.
    DeadlineBeforeStart {
        /// Milliseconds from acceptance within which it had to end.
        deadline_ms: u64,
        /// Milliseconds from acceptance to its start at the earliest.
        start_ms: u64,
    },
    /// Its deadline cannot be met, by what is measured.
    DeadlineUnmet {
        /// Milliseconds from acceptance within which it had to end.
        deadline_ms: u64,
        /// The forecast that stands against it.
        forecast: Forecast,
        /// When it may be worth trying again.
        retry_after_ms: u64,
    },
    /// The idempotency key stands for a task that another request has made.
    IdempotencyMismatch {
        /// Which task.
        task: TaskId,
    },
    /// The key has ended or was replaced, so nothing can take its place.
    KeyEnded {
        /// Which.
        key: KeyId,
    },
    /// The key would never be let in.
    KeyExpiryPast {
        /// When it would expire.
        at: WallMs,
        /// When that was asked for.
        now: WallMs,
    },
    /// Without this key nobody would be left who may make others.
    KeyLast {
        /// Which.
        key: KeyId,
    },
    /// The id that was drawn for a key is taken.
    KeyTaken {
        /// Which.
        key: KeyId,
    },
    /// There is no such key.
    KeyUnknown {
        /// Which.
        key: KeyId,
    },
    /// No pool serves the model or engine asked for.
    ModelUnknown {
        /// The model asked for, if one was named.
        model_ref: Option<ModelRef>,
        /// The engine asked for, if one was named.
        engine: Option<Engine>,
        /// What is served: models with their engines, sorted.
        known: Vec<(ModelRef, Engine)>,
    },
    /// Every pool that could serve it gave up.
    PoolUnavailable {
        /// What happened last.
        detail: String,
    },
    /// There is no such pool.
    PoolUnknown {
        /// Its name.
        pool: PoolName,
        /// Those there are, in the order of the configuration.
        known: Vec<PoolName>,
    },
    /// The queue of its class is full, and its policy is to reject, or found nobody who could go.
    QueueFull {
        /// Class.
        priority: ClassName,
        /// Its capacity.
        capacity: u32,
        /// Its policy.
        full: FullPolicy,
        /// When it may be worth trying again.
        retry_after_ms: u64,
    },
    /// As many tasks wait for their time as may.
    ScheduleFull {
        /// How many that are.
        capacity: u32,
        /// When it may be worth trying again.
        retry_after_ms: u64,
    },
    /// A quota stands against it.
    Quota(QuotaRefusal),
    /// The session has had all its turns.
    SessionExhausted {
        /// Which.
        session: SessionId,
        /// Turns it takes at most.
        turns_max: u32,
    },
    /// As many sessions of the tenant as may have had no task yet.
    SessionsUnused {
        /// When it may be worth trying again.
        retry_after_ms: u64,
    },
    /// There is no such session.
    SessionUnknown {
        /// Which.
        session: SessionId,
    },
    /// The task has ended, and nothing can happen to it any more.
    TaskEnded {
        /// Which.
        task: TaskId,
        /// How it stands.
        state: TaskState,
    },
    /// The id is taken by another task, of whichever tenant.
    TaskIdConflict {
        /// Which.
        task: TaskId,
    },
    /// There is no such task.
    TaskUnknown {
        /// Which.
        task: TaskId,
    },
}

/// What names a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassAsk {
    /// A bulk, as that of the tasks that it is about.
    Bulk,
    /// A key, as the highest that it may use.
    Key,
    /// A task, as that to wait in.
    Task,
}

/// A task that was turned away, with what was found when that was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedTask {
    /// Why.
    pub refusal: Refusal,
    /// When.
    pub at: WallMs,
    /// The id that it would have had.
    pub task: TaskId,
    /// Whose it would have been.
    pub tenant: TenantId,
    /// The project it would have belonged to.
    pub project: ProjectId,
    /// Who asked.
    pub created_by: PrincipalId,
    /// Class it would have waited in.
    pub priority: ClassName,
    /// Model asked for; any if none.
    pub model_ref: Option<ModelRef>,
    /// Engine asked for; any if none.
    pub engine: Option<Engine>,
    /// Session it would have run in.
    pub session: Option<SessionId>,
    /// Context window that it needs at least, in tokens.
    pub ctx_need: u32,
    /// Tokens that it was expected to cost: its prompt, and all that it might generate.
    pub tokens: u32,
    /// Milliseconds within which it would have had to end.
    pub deadline_ms: Option<u64>,
    /// Tasks queued in its class.
    pub queue_depth: u64,
    /// Tasks that would have gone before it.
    pub queue_position: u64,
    /// Estimated milliseconds to the start that it would have had.
    pub predicted_start_ms: u64,
    /// The band around that; `None` if too little is measured.
    pub start_band: Option<StartBand>,
    /// How many replicas were ruled out, and why.
    pub counts: VerdictCounts,
    /// Some replicas and what placement found about each, those that could serve it first.
    pub candidates: Vec<Candidate>,
}
