//! The one slot: requests wait in line, one thread serves them, and a request that nobody waits for
//! any more gives the slot back within a token.

mod cancel;
mod queue;
mod totals;
mod worker;

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

pub(crate) use cancel::CancelOnDrop;
pub(crate) use queue::{Refusal, Slot};
pub(crate) use totals::Totals;
pub(crate) use worker::run as run_worker;

use crate::generation::{End, Step};

/// Requests that may wait while one is served. One more is refused.
pub(crate) const MAX_WAITING: usize = 64;

/// What the generation thread tells about a request.
#[derive(Debug)]
pub(crate) enum Event {
    /// A token, or several that make up a character.
    Token { step: Step, n_decoded: usize },
    /// The end; nothing follows.
    Done(Outcome),
    /// The model failed; nothing follows.
    Failed(String),
}

/// The account of a finished generation.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) n_decoded: usize,
    /// From the start of the request's turn to the prompt's last token.
    pub(crate) prompt_time: Duration,
    /// From there to the end.
    pub(crate) predict_time: Duration,
}

/// A request's place in line. Whoever drops it has left: the request is cancelled.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) events: UnboundedReceiver<Event>,
    _cancel: CancelOnDrop,
}

#[cfg(test)]
mod tests;
