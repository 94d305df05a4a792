//! The names that the machine's words have outside, each in one place: wire, metrics, logs.

use orchestrator_core::queue::FullPolicy;
use orchestrator_core::quota::QuotaRefusal;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::task::{Engine, FinishReason, TaskFault};

/// Name of an engine kind.
#[must_use]
pub const fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Embedded => "embedded",
        Engine::Llamacpp => "llamacpp",
    }
}

/// Name of what a full class does.
#[must_use]
pub const fn full_policy(policy: FullPolicy) -> &'static str {
    match policy {
        FullPolicy::DropLru => "drop-lru",
        FullPolicy::Reject => "reject",
        FullPolicy::ShedLowPriority => "shed-low-priority",
    }
}

/// Name of a finish reason.
#[must_use]
pub const fn finish(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Cancelled => "cancelled",
        FinishReason::Length => "length",
        FinishReason::Stop => "stop",
    }
}

/// Code of a fault, as problems carry it.
#[must_use]
pub const fn fault_code(fault: TaskFault) -> &'static str {
    match fault {
        TaskFault::ContextExceeded => "CONTEXT_EXCEEDED",
        TaskFault::DeadlineUnmet => "DEADLINE_UNMET",
        TaskFault::DecodeTimeout => "DECODE_TIMEOUT",
        TaskFault::EngineRefused => "INVALID_PARAMS",
        TaskFault::Interrupted | TaskFault::WorkerReset => "WORKER_RESET",
        TaskFault::PoolUnavailable => "POOL_UNAVAILABLE",
        TaskFault::QueueFullDropLru => "QUEUE_FULL_DROP_LRU",
        TaskFault::QueueFullShed => "QUEUE_FULL_SHED",
        TaskFault::ReplicaSetGone => "REPLICA_SET_GONE",
        TaskFault::StreamDiverged => "STREAM_DIVERGED",
    }
}

/// True if a new task with the same input may succeed, without anybody mending anything: a pool that gave up
/// stays down until the daemon is started again.
#[must_use]
pub const fn fault_retriable(fault: TaskFault) -> bool {
    match fault {
        TaskFault::ContextExceeded | TaskFault::EngineRefused | TaskFault::PoolUnavailable => false,
        TaskFault::DeadlineUnmet
        | TaskFault::DecodeTimeout
        | TaskFault::Interrupted
        | TaskFault::QueueFullDropLru
        | TaskFault::QueueFullShed
        | TaskFault::ReplicaSetGone
        | TaskFault::StreamDiverged
        | TaskFault::WorkerReset => true,
    }
}

/// Code of a refusal, as problems carry it.
#[must_use]
pub const fn refusal_code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::BudgetSessionless
        | Refusal::ClassUnknown { .. }
        | Refusal::DeadlineBeforeStart { .. }
        | Refusal::KeyExpiryPast { .. } => "INVALID_PARAMS",
        Refusal::ContextExceeded { .. } => "CONTEXT_EXCEEDED",
        Refusal::DeadlineUnmet { .. } => "DEADLINE_UNMET",
        Refusal::IdempotencyMismatch { .. } => "IDEMPOTENCY_MISMATCH",
        Refusal::KeyEnded { .. } | Refusal::KeyLast { .. } | Refusal::KeyTaken { .. } => {
            "KEY_CONFLICT"
        }
        Refusal::ModelUnknown { .. } => "MODEL_UNKNOWN",
        Refusal::PoolUnavailable { .. } => "POOL_UNAVAILABLE",
        Refusal::Quota(refusal) => match refusal {
            QuotaRefusal::Conflict { .. } => "QUOTA_CONFLICT",
            QuotaRefusal::Exceeded { .. } => "QUOTA_EXCEEDED",
            QuotaRefusal::Unenforceable { .. } => "QUOTA_UNENFORCEABLE",
            QuotaRefusal::Unmeetable { .. } => "QUOTA_UNMEETABLE",
        },
        Refusal::BulksFull { .. }
        | Refusal::QueueFull { .. }
        | Refusal::ScheduleFull { .. }
        | Refusal::SessionsUnused { .. } => "ADMISSION_REJECT",
        Refusal::BudgetSpent { .. } | Refusal::SessionExhausted { .. } => "SESSION_EXHAUSTED",
        Refusal::KeyUnknown { .. }
        | Refusal::PoolUnknown { .. }
        | Refusal::SessionUnknown { .. }
        | Refusal::TaskUnknown { .. } => "NOT_FOUND",
        Refusal::TaskEnded { .. } => "TASK_ENDED",
        Refusal::TaskIdConflict { .. } => "TASK_ID_CONFLICT",
    }
}
