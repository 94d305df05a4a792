//! What a request in the slot hears, and how it leaves.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::cancel::CancelOnDrop;
use crate::generation::{End, Step};

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
    pub(super) _cancel: CancelOnDrop,
}
