//! Adapter for engines that speak the llama.cpp server dialect: `llama-server` itself and `orch-engine`.
//!
//! It uses `GET /health`, `GET /props`, `POST /apply-template` and the stream of `POST /completion`. The
//! stream has no `[DONE]`: it ends with the frame that says `"stop": true`, and an end before that frame is
//! a failure. The server closes the connection after a stream, so each request has a connection of its own,
//! and closing it is how a generation is cancelled.
//!
//! This crate knows nothing of tasks, replicas or processes.

mod adapter;
mod assembler;
mod call;
mod failure;
mod generation;
mod timeouts;
mod wire;

pub use adapter::LlamacppAdapter;
pub use timeouts::Timeouts;
