//! What an adapter brings to the suite.

use std::sync::Arc;
use std::time::Duration;

use worker_adapter::{Adapter, EngineFacts, Generation, GenerationEvent, Health};

use crate::outcome::Kind;
use crate::scripted::{Reply, Request};

/// The times that an adapter under test is made with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To connect, and for plain calls.
    pub reply: Duration,
    /// To the first token.
    pub first_token: Duration,
    /// From one token to the next.
    pub idle: Duration,
    /// For a whole generation.
    pub total: Duration,
}

impl Limits {
    /// So long that no case without a clock meets them.
    pub const AMPLE: Self = Self {
        reply: Duration::from_secs(300),
        first_token: Duration::from_secs(300),
        idle: Duration::from_secs(300),
        total: Duration::from_secs(300),
    };
}

/// A whole generation as an engine sent it.
#[derive(Clone, Debug)]
pub struct Recording {
    /// For the message of a failure.
    pub name: &'static str,
    /// Status line and headers with the empty line, as they came; they say that the body is chunked.
    pub head: Vec<u8>,
    /// The body, up to and with the last byte that the end needs.
    pub body: Vec<u8>,
    /// The events that it means.
    pub events: Vec<GenerationEvent>,
}

impl Recording {
    /// A reply that begins as the recorded one did.
    #[must_use]
    pub fn reply(&self) -> Reply {
        Reply::default().send(self.head.clone())
    }

    /// Its tokens, without the prompt's size and the end.
    pub fn tokens(&self) -> impl Iterator<Item = &GenerationEvent> {
        let is_token = |event: &&GenerationEvent| matches!(event, GenerationEvent::Token(_));
        self.events.iter().filter(is_token)
    }
}

/// A reply to a generation that brings no text, and what it means.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// For the message of a failure.
    pub name: &'static str,
    /// What the engine answers.
    pub reply: Reply,
    /// What the adapter must make of it.
    pub means: Kind,
}

/// What an engine answers to plain calls, and what the adapter must make of it.
pub struct Exchange<T> {
    /// For the message of a failure.
    pub name: &'static str,
    /// The engine's side.
    pub answer: fn(&Request) -> Reply,
    /// The adapter's outcome.
    pub means: Result<T, Kind>,
}

/// One engine's protocol, as the suite needs it.
pub trait Dialect: Send + Sync + 'static {
    /// The adapter under test.
    fn adapter(&self, base_url: &str, limits: Limits) -> Arc<dyn Adapter>;

    /// The engine's answer to a call that a generation makes before the one that generates (such as for a
    /// chat template); `None` for the generating call itself.
    fn preliminary(&self, request: &Request) -> Option<Reply>;

    /// Panics unless the generating call says everything that the generation says.
    fn assert_says(&self, request: &Request, generation: &Generation);

    /// Whole generations. The first has at least three tokens, sent one by one.
    fn recordings(&self) -> Vec<Recording>;

    /// Reads a whole body in the plainest way, without the adapter: what was captured becomes a recording.
    fn read(&self, name: &'static str, head: Vec<u8>, body: &[u8]) -> Recording;

    /// Replies to a generation that bring no text.
    fn refusals(&self) -> Vec<Refusal>;

    /// Bodies of a generation that are no generation.
    fn garbage(&self) -> Vec<Vec<u8>>;

    /// Endless piece of garbage: repeated for ever, it never ends a frame.
    fn endless_piece(&self) -> Vec<u8>;

    /// Exchanges about health.
    fn healths(&self) -> Vec<Exchange<Health>>;

    /// Exchanges about facts.
    fn facts(&self) -> Vec<Exchange<EngineFacts>>;
}
