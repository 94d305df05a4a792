//! The contract of a runner: attempts of any kind, as ordered events with offsets.

use std::future::Future;
use std::pin::Pin;

use futures_util::Stream;
use thiserror::Error;

use crate::adapter::{AdapterError, Finish};

/// Id of an attempt, as its owner minted it (a UUID). Starting the same key twice starts one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptKey(pub u128);

/// The outcome of a call, later.
pub type RunnerFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, RunnerError>> + Send + 'a>>;

/// Events of one attempt, each with the offset that follows it: `ack(offset)` lets the runner forget it.
pub type EventStream = Pin<Box<dyn Stream<Item = (u64, RunnerEvent)> + Send>>;

/// What happens in an attempt: the size of its prompt if the engine tells it early, any number of tokens, then
/// exactly one `Ended` or `Failed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunnerEvent {
    /// The prompt has been read. At most once, before the first token.
    Prompt {
        /// Tokens of the input.
        tokens: u64,
    },
    /// One token's text.
    Token(String),
    /// It reached its end.
    Ended {
        /// Why.
        finish: Finish,
        /// Tokens of the input.
        tokens_in: u64,
        /// Tokens generated.
        tokens_out: u64,
    },
    /// It broke.
    Failed(AdapterError),
}

/// What can go wrong with a runner.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RunnerError {
    /// It knows no such attempt, or no longer.
    #[error("the runner does not know attempt {:032x}", .0.0)]
    Unknown(AttemptKey),
    /// It has forgotten the events before this offset.
    #[error("events before offset {first} are gone")]
    Gone {
        /// First offset that is still there.
        first: u64,
    },
    /// It cannot take the attempt.
    #[error("the runner cannot take the attempt: {0}")]
    Refused(String),
}

/// Something that executes attempts described by `Order`.
pub trait Runner<Order>: Send + Sync {
    /// Starts an attempt, or attaches to it if it runs already, with events from an offset on.
    fn start_or_attach(
        &self,
        attempt: AttemptKey,
        order: Order,
        from_offset: u64,
    ) -> RunnerFuture<'_, EventStream>;

    /// Everything before `offset` is durable and may be forgotten.
    fn ack(&self, attempt: AttemptKey, offset: u64);

    /// Stops an attempt; it ends without another token. Unknown attempts are ignored.
    fn cancel(&self, attempt: AttemptKey);

    /// Attempts that it holds.
    fn list(&self) -> Vec<AttemptKey>;
}
