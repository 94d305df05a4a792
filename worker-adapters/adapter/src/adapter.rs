//! The contract of an adapter: one engine's protocol, as plain calls.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::Stream;
use thiserror::Error;

/// The outcome of a call, later.
pub type AdapterFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AdapterError>> + Send + 'a>>;

/// Events of one generation. Dropping it closes the engine's side at once: that is how one cancels.
pub type GenerationStream =
    Pin<Box<dyn Stream<Item = Result<GenerationEvent, AdapterError>> + Send>>;

/// What an engine says about taking work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes work.
    Ready,
    /// It is alive and loads its model.
    Loading,
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// Version; changes whenever the same seed may give another text.
    pub engine_version: String,
    /// `sha256:<hex>` of the model file, if the engine reports it.
    pub model_digest: Option<String>,
    /// Path of the model file, if the engine reports it.
    pub model_path: Option<String>,
    /// Context window in tokens.
    pub ctx: u32,
    /// Generations it runs at once.
    pub slots: u32,
}

/// What to generate from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// One user message, through the model's chat template.
    Chat(String),
    /// Exactly this text.
    Raw(String),
}

/// Every sampling value; none is left to the engine.
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

/// One generation to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// What to generate from.
    pub prompt: Prompt,
    /// Most tokens.
    pub max_tokens: u32,
    /// Go on past the model's own end.
    pub ignore_eos: bool,
    /// Sampling values.
    pub sampling: Sampling,
    /// Seed, 1 to 2^31 - 1.
    pub seed: u32,
    /// May the engine reuse cached state? No where equal bytes are promised.
    pub cache_reuse: bool,
}

/// Why a text ends, as an engine tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The limit of tokens or of the context.
    Length,
    /// The model's own end.
    Stop,
}

/// What happens in a generation: the size of its prompt if the engine tells it early, any number of tokens,
/// then one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GenerationEvent {
    /// The engine has read the prompt. At most once, before the first token; an engine that counts only at the
    /// end leaves it out. It is there so that whoever stops a generation knows what it read.
    Prompt {
        /// Tokens of the input, the same count as the end's.
        tokens: u64,
    },
    /// One token's text. It is empty where a character is not complete yet or the engine held the text
    /// back. There are exactly as many as `tokens_out` of the end counts.
    Token(String),
    /// The end, with the engine's own count. Nothing follows it.
    End {
        /// Why.
        finish: Finish,
        /// Tokens of the input.
        tokens_in: u64,
        /// Tokens generated.
        tokens_out: u64,
    },
}

/// What can go wrong with an engine.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AdapterError {
    /// It cannot be reached, or the connection could not be made in time: nothing was sent.
    #[error("the engine at {url} cannot be reached: {detail}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened.
        detail: String,
    },
    /// Prompt and tokens asked for do not fit its context.
    #[error("the prompt has {tokens} tokens, and the context of the engine holds {ctx}")]
    ContextExceeded {
        /// Tokens of the prompt.
        tokens: u64,
        /// Context in tokens.
        ctx: u64,
    },
    /// It refused the request, and would again.
    #[error("the engine refused the request: {0}")]
    Refused(String),
    /// It has no room now.
    #[error("the engine is busy: {0}")]
    Busy(String),
    /// It broke off, or its end of the stream came before the end of the text.
    #[error("the engine broke off: {0}")]
    Reset(String),
    /// It took too long.
    #[error("the engine took longer than {} ms {phase}", .after.as_millis())]
    TimedOut {
        /// For what, such as `to the first token`.
        phase: &'static str,
        /// How long.
        after: Duration,
    },
    /// It said something that the protocol does not have.
    #[error("the engine does not speak its protocol: {0}")]
    Protocol(String),
}

impl AdapterError {
    /// True if the same request may succeed on another try. Each kind is named, so that a new one must decide.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Busy(_)
            | Self::Reset(_)
            | Self::TimedOut { .. }
            | Self::Protocol(_) => true,
            Self::ContextExceeded { .. } | Self::Refused(_) => false,
        }
    }
}

/// One engine, spoken to in its protocol.
pub trait Adapter: Send + Sync {
    /// Does it take work? An engine that cannot be reached is an error.
    fn health(&self) -> AdapterFuture<'_, Health>;

    /// What it says of itself.
    fn facts(&self) -> AdapterFuture<'_, EngineFacts>;

    /// Starts a generation. Resolves when the engine has accepted it; errors before the first token come
    /// from here or as the first item.
    fn generate(&self, generation: Generation) -> AdapterFuture<'_, GenerationStream>;
}
