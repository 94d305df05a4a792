//! Client of the HTTP contract: one [`Client`] with a method for each operation.
//!
//! The calls are generated (by progenitor, from a derived copy of the contract), and share
//! their types with the server. Written by hand are the streams, which come back by themselves
//! where they broke off ([`EventReader`]), and the one error type ([`ApiError`]), which knows
//! what is worth another try.

mod client;
#[rustfmt::skip]
#[allow(missing_docs, reason = "progenitor documents operations, not its own scaffolding")]
mod generated;
pub mod support;

pub use api_types as types;
pub use client::{Client, Options};
pub use support::{ApiError, ApiKey, Backoff, ClientEvent, EventReader, Reply, Turn, retry};
