//! What a user asked for.

mod record;
mod spec;

pub use record::{
    AttemptHead, AttemptRecord, AttemptState, FinishReason, Started, TaskEnd, TaskFault,
    TaskRecord, TaskState, WaitingFor,
};
pub use spec::{
    Determinism, Engine, InputKind, OnDisconnect, Priority, PromptFacts, Sampling, TaskSpec,
};
