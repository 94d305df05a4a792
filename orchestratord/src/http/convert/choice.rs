//! Closed sets, from one side to the other.

use api_types as wire;
use orchestrator_core::queue::{ClassName, FullPolicy};
use orchestrator_core::task::{
    Determinism, Engine, FinishReason, InputKind, OnDisconnect, TaskFault, TaskState, WaitingFor,
};

pub(super) fn engine_choice(choice: wire::EngineChoice) -> Engine {
    match choice {
        wire::EngineChoice::Embedded => Engine::Embedded,
        wire::EngineChoice::Llamacpp => Engine::Llamacpp,
    }
}

pub(in crate::http) fn engine(engine: Engine) -> wire::Engine {
    match engine {
        Engine::Embedded => wire::Engine::Embedded,
        Engine::Llamacpp => wire::Engine::Llamacpp,
    }
}

/// The class that a request names. The contract's pattern lets in nothing that is no name.
pub(in crate::http) fn class_choice(name: &str) -> Option<ClassName> {
    ClassName::named(name)
}

pub(super) fn class_or(asked: Option<&str>, class_default: ClassName) -> ClassName {
    asked.and_then(class_choice).unwrap_or(class_default)
}

pub(super) fn full_policy(policy: FullPolicy) -> wire::QueueFullPolicy {
    match policy {
        FullPolicy::DropLru => wire::QueueFullPolicy::DropLru,
        FullPolicy::Reject => wire::QueueFullPolicy::Reject,
        FullPolicy::ShedLowPriority => wire::QueueFullPolicy::ShedLowPriority,
    }
}

pub(super) fn determinism_choice(choice: wire::DeterminismChoice) -> Determinism {
    match choice {
        wire::DeterminismChoice::BestEffort => Determinism::BestEffort,
        wire::DeterminismChoice::Strict => Determinism::Strict,
    }
}

pub(super) fn determinism(determinism: Determinism) -> wire::Determinism {
    match determinism {
        Determinism::BestEffort => wire::Determinism::BestEffort,
        Determinism::Strict => wire::Determinism::Strict,
    }
}

pub(super) fn on_disconnect_choice(choice: wire::OnDisconnectChoice) -> OnDisconnect {
    match choice {
        wire::OnDisconnectChoice::Cancel => OnDisconnect::Cancel,
        wire::OnDisconnectChoice::Continue => OnDisconnect::Continue,
    }
}

pub(super) fn on_disconnect(on_disconnect: OnDisconnect) -> wire::OnDisconnect {
    match on_disconnect {
        OnDisconnect::Cancel => wire::OnDisconnect::Cancel,
        OnDisconnect::Continue => wire::OnDisconnect::Continue,
    }
}

/// The store's name of a state, which is the wire's.
pub(in crate::http) fn state_filter(filter: wire::TaskStateFilter) -> &'static str {
    match filter {
        wire::TaskStateFilter::CancelRequested => "cancel_requested",
        wire::TaskStateFilter::Cancelled => "cancelled",
        wire::TaskStateFilter::Completed => "completed",
        wire::TaskStateFilter::Dispatched => "dispatched",
        wire::TaskStateFilter::Failed => "failed",
        wire::TaskStateFilter::Parked => "parked",
        wire::TaskStateFilter::Queued => "queued",
        wire::TaskStateFilter::Running => "running",
        wire::TaskStateFilter::Waiting => "waiting",
    }
}

pub(super) fn state(state: TaskState) -> wire::TaskState {
    match state {
        TaskState::CancelRequested => wire::TaskState::CancelRequested,
        TaskState::Cancelled => wire::TaskState::Cancelled,
        TaskState::Completed => wire::TaskState::Completed,
        TaskState::Dispatched => wire::TaskState::Dispatched,
        TaskState::Failed => wire::TaskState::Failed,
        TaskState::Parked => wire::TaskState::Parked,
        TaskState::Queued => wire::TaskState::Queued,
        TaskState::Running => wire::TaskState::Running,
        TaskState::Waiting(_) => wire::TaskState::Waiting,
    }
}

pub(super) fn waiting_for(waiting: WaitingFor) -> wire::WaitingFor {
    match waiting {
        WaitingFor::Backoff => wire::WaitingFor::Backoff,
        WaitingFor::Time => wire::WaitingFor::Time,
    }
}

pub(super) fn input_kind(kind: InputKind) -> wire::TaskInputKind {
    match kind {
        InputKind::Completion => wire::TaskInputKind::Completion,
        InputKind::Prompt => wire::TaskInputKind::Prompt,
    }
}

pub(super) fn finish(finish: FinishReason) -> wire::FinishReason {
    match finish {
        FinishReason::Cancelled => wire::FinishReason::Cancelled,
        FinishReason::Length => wire::FinishReason::Length,
        FinishReason::Stop => wire::FinishReason::Stop,
    }
}

/// A probability in thousandths, as the wire has it.
pub(super) fn probability(permille: u32) -> f64 {
    f64::from(permille) / 1_000.0
}

pub(in crate::http) fn fault(fault: TaskFault) -> wire::ProblemCode {
    match fault {
        TaskFault::ContextExceeded => wire::ProblemCode::ContextExceeded,
        TaskFault::DeadlineUnmet => wire::ProblemCode::DeadlineUnmet,
        TaskFault::DecodeTimeout => wire::ProblemCode::DecodeTimeout,
        TaskFault::EngineRefused => wire::ProblemCode::InvalidParams,
        TaskFault::Interrupted | TaskFault::WorkerReset => wire::ProblemCode::WorkerReset,
        TaskFault::PoolUnavailable => wire::ProblemCode::PoolUnavailable,
        TaskFault::QueueFullDropLru => wire::ProblemCode::QueueFullDropLru,
        TaskFault::QueueFullShed => wire::ProblemCode::QueueFullShed,
        TaskFault::ReplicaSetGone => wire::ProblemCode::ReplicaSetGone,
        TaskFault::StreamDiverged => wire::ProblemCode::StreamDiverged,
    }
}
