//! What was asked for, after defaults, fixed at acceptance.

use crate::id::{Digest, ModelRef, SessionId};
use crate::queue::ClassName;
use crate::time::WallMs;

/// How the input is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InputKind {
    /// Raw generation that continues exactly the text.
    Completion,
    /// Natural language, through the model's chat template.
    Prompt,
}

/// Kind of inference engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// The small server that ships with the project; a CPU device class of its own.
    Embedded,
    /// llama.cpp's server.
    Llamacpp,
}

impl Engine {
    /// Its name on the wire, in what people read and in the key of a replica set.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Llamacpp => "llamacpp",
        }
    }
}

/// What is asked about repeatability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Determinism {
    /// The engine may reuse caches.
    BestEffort,
    /// No cache reuse: one seed, one text, inside a replica set.
    Strict,
}

/// What happens 5 s after the last reader of the stream has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnDisconnect {
    /// The task is cancelled.
    Cancel,
    /// The task runs on.
    Continue,
}

/// Every sampling value, none left to an engine's default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: f64,
    /// Among this many most likely tokens; 0 is all.
    pub top_k: u32,
    /// Nucleus, 0 to 1.
    pub top_p: f64,
    /// Least probability relative to the most likely token, 0 to 1.
    pub min_p: f64,
    /// 1 is none.
    pub repeat_penalty: f64,
}

/// What the machine knows of a prompt; never its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptFacts {
    /// SHA-256 of the text.
    pub digest: Digest,
    /// Size of the text.
    pub bytes: u64,
    /// Best guess at its tokens.
    pub tokens_estimate: u64,
    /// Fewest tokens that any tokenizer could make of it: a prompt is refused at accept only if even
    /// these exceed every context.
    pub tokens_least: u64,
}

/// What was asked for, after defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSpec {
    /// How the input is read.
    pub kind: InputKind,
    /// Facts about the input.
    pub prompt: PromptFacts,
    /// Model asked for; any if none.
    pub model_ref: Option<ModelRef>,
    /// Engine asked for; any if none.
    pub engine: Option<Engine>,
    /// Least context window in tokens; any if none.
    pub ctx: Option<u32>,
    /// Most tokens to generate.
    pub max_tokens: u32,
    /// Generate past the model's own end.
    pub ignore_eos: bool,
    /// Sampling values.
    pub sampling: Sampling,
    /// Seed, 1 to 2^31 - 1.
    pub seed: u32,
    /// Repeatability.
    pub determinism: Determinism,
    /// Class to wait in.
    pub priority: ClassName,
    /// Milliseconds from acceptance within which it must have ended.
    pub deadline_ms: Option<u64>,
    /// Earliest start; at once if that is none or past.
    pub run_at: Option<WallMs>,
    /// Session to run in.
    pub session: Option<SessionId>,
    /// What the last reader's leaving means.
    pub on_disconnect: OnDisconnect,
}

impl TaskSpec {
    /// What the task is expected to cost, in tokens: its prompt, and all that it may generate.
    #[must_use]
    pub fn cost(&self) -> u32 {
        u32::try_from(self.tokens_most()).unwrap_or(u32::MAX)
    }

    /// Tokens that the task uses at most, if its prompt is as long as estimated.
    #[must_use]
    pub fn tokens_most(&self) -> u64 {
        self.prompt
            .tokens_estimate
            .saturating_add(u64::from(self.max_tokens))
    }
}
