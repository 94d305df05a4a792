//! Everything that can be refused, with the figures that explain it.

use crate::eta::Forecast;
use crate::id::{KeyId, ModelRef, PoolName, SessionId, TaskId};
use crate::queue::FullPolicy;
use crate::quota::QuotaRefusal;
use crate::task::{Engine, Priority, TaskState};
use crate::time::WallMs;

/// Why a command was not carried out. A refusal leaves the machine exactly as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As many bulks of the tenant run as may.
    BulksFull {
        /// When it may be worth trying again.
        retry_after_ms: u64,
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
        priority: Priority,
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
