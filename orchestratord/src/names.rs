//! The names that the machine's words have outside, each in one place: wire, metrics, logs.

use orchestrator_core::refusal::Refusal;
use orchestrator_core::task::{
    Determinism, Engine, FinishReason, InputKind, OnDisconnect, Priority, TaskFault, TaskState,
    WaitingFor,
};

/// Name of an engine kind.
#[must_use]
pub const fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Embedded => "embedded",
        Engine::Llamacpp => "llamacpp",
    }
}

/// Name of a class.
#[must_use]
pub const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Batch => "batch",
        Priority::Interactive => "interactive",
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
        TaskFault::DecodeTimeout => "DECODE_TIMEOUT",
        TaskFault::EngineRefused => "INVALID_PARAMS",
        TaskFault::Interrupted | TaskFault::WorkerReset => "WORKER_RESET",
        TaskFault::PoolUnavailable => "POOL_UNAVAILABLE",
        TaskFault::QueueFullDropLru => "QUEUE_FULL_DROP_LRU",
        TaskFault::ReplicaSetGone => "REPLICA_SET_GONE",
        TaskFault::StreamDiverged => "STREAM_DIVERGED",
    }
}

/// True if a new task with the same input may succeed.
#[must_use]
pub const fn fault_retriable(fault: TaskFault) -> bool {
    match fault {
        TaskFault::ContextExceeded | TaskFault::EngineRefused => false,
        TaskFault::DecodeTimeout
        | TaskFault::Interrupted
        | TaskFault::PoolUnavailable
        | TaskFault::QueueFullDropLru
        | TaskFault::ReplicaSetGone
        | TaskFault::StreamDiverged
        | TaskFault::WorkerReset => true,
    }
}

/// Name of a state.
#[must_use]
pub const fn state(state: TaskState) -> &'static str {
    match state {
        TaskState::CancelRequested => "cancel_requested",
        TaskState::Cancelled => "cancelled",
        TaskState::Completed => "completed",
        TaskState::Dispatched => "dispatched",
        TaskState::Failed => "failed",
        TaskState::Parked => "parked",
        TaskState::Queued => "queued",
        TaskState::Running => "running",
        TaskState::Waiting(_) => "waiting",
    }
}

/// Name of what a waiting task waits for.
#[must_use]
pub const fn waiting_for(waiting: WaitingFor) -> &'static str {
    match waiting {
        WaitingFor::Backoff => "backoff",
    }
}

/// Name of an input kind.
#[must_use]
pub const fn input_kind(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Completion => "completion",
        InputKind::Prompt => "prompt",
    }
}

/// Name of a determinism.
#[must_use]
pub const fn determinism(determinism: Determinism) -> &'static str {
    match determinism {
        Determinism::BestEffort => "best_effort",
        Determinism::Strict => "strict",
    }
}

/// Name of what the last reader's leaving means.
#[must_use]
pub const fn on_disconnect(on_disconnect: OnDisconnect) -> &'static str {
    match on_disconnect {
        OnDisconnect::Cancel => "cancel",
        OnDisconnect::Continue => "continue",
    }
}

/// Code of a refusal, as problems carry it.
#[must_use]
pub const fn refusal_code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::ContextExceeded { .. } => "CONTEXT_EXCEEDED",
        Refusal::ModelUnknown { .. } => "MODEL_UNKNOWN",
        Refusal::PoolUnavailable { .. } => "POOL_UNAVAILABLE",
        Refusal::QueueFull { .. } => "ADMISSION_REJECT",
        Refusal::SessionExhausted { .. } => "SESSION_EXHAUSTED",
        Refusal::SessionUnknown { .. } | Refusal::TaskUnknown { .. } => "NOT_FOUND",
        Refusal::TaskIdConflict { .. } => "TASK_ID_CONFLICT",
    }
}
