//! What a user asked for: its record, the table of its states, and the pure facts derived from a request
//! before it is accepted (defaults, seed, prompt estimate).

mod defaults;
mod estimate;
mod record;
mod seed;
mod spec;
mod table;

pub use defaults::{Defaults, PROFILE_V1};
pub use estimate::{PromptSize, prompt_size};
pub use record::{
    AttemptHead, AttemptRecord, AttemptState, FinishReason, Started, TaskEnd, TaskFault,
    TaskRecord, TaskState, WaitingFor,
};
pub use seed::seed_of;
pub use spec::{Determinism, Engine, InputKind, OnDisconnect, PromptFacts, Sampling, TaskSpec};
pub use table::{Move, TaskEvent, next};
