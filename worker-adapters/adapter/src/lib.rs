//! What executes attempts, and what speaks to engines.
//!
//! - A [`Runner`] executes attempts of any kind (generations today; sandboxes and agents later) and tells
//!   what happens as ordered events with offsets. It keeps events until they are acknowledged, so that
//!   whoever lost the connection can attach again.
//! - An [`Adapter`] speaks one engine's protocol. It knows nothing of tasks, attempts or leases.
//! - An [`SseDecoder`] serves the adapters of engines that stream server-sent events.
//!
//! This crate knows neither the machine nor the wire contract.

mod adapter;
mod runner;
mod sse;

pub use adapter::{
    Adapter, AdapterError, AdapterFuture, EngineFacts, Finish, Generation, GenerationEvent,
    GenerationStream, Health, Prompt, Sampling,
};
pub use runner::{AttemptKey, EventStream, Runner, RunnerError, RunnerEvent, RunnerFuture};
pub use sse::{SseDecoder, SseError, SseFrame};
