//! The terms between an attempt and its engine: what is asked for, and what errors mean.

use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::task::{Determinism, InputKind, TaskFault};
use worker_adapter::{AdapterError, Generation, Prompt, Sampling};

/// True if the engine may take no other attempt either.
pub(super) fn may_be_down(error: &AdapterError) -> bool {
    match error {
        AdapterError::Busy(_) | AdapterError::Reset(_) | AdapterError::Unreachable { .. } => true,
        AdapterError::ContextExceeded { .. }
        | AdapterError::Protocol(_)
        | AdapterError::Refused(_)
        | AdapterError::TimedOut { .. } => false,
    }
}

/// What an engine's error means for the task.
pub(super) fn fault_of(error: &AdapterError) -> TaskFault {
    match error {
        AdapterError::ContextExceeded { .. } => TaskFault::ContextExceeded,
        AdapterError::Refused(_) => TaskFault::EngineRefused,
        AdapterError::TimedOut { .. } => TaskFault::DecodeTimeout,
        AdapterError::Busy(_)
        | AdapterError::Protocol(_)
        | AdapterError::Reset(_)
        | AdapterError::Unreachable { .. } => TaskFault::WorkerReset,
    }
}

/// What the engine is asked for.
pub(super) fn generation(order: &AttemptOrder, prompt: String) -> Generation {
    let spec = &order.spec;
    let sampling = &spec.sampling;
    Generation {
        prompt: match spec.kind {
            InputKind::Completion => Prompt::Raw(prompt),
            InputKind::Prompt => Prompt::Chat(prompt),
        },
        max_tokens: spec.max_tokens,
        ignore_eos: spec.ignore_eos,
        sampling: Sampling {
            temperature: sampling.temperature,
            top_k: sampling.top_k,
            top_p: sampling.top_p,
            min_p: sampling.min_p,
            repeat_penalty: sampling.repeat_penalty,
        },
        seed: spec.seed,
        cache_reuse: spec.determinism == Determinism::BestEffort,
    }
}
