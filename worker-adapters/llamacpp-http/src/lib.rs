//! Adapter for engines that speak the llama.cpp server dialect: `llama-server` itself and `orch-engine`.
//!
//! It uses `GET /health`, `GET /props`, `POST /apply-template` and the stream of `POST /completion`. The
//! stream has no `[DONE]`: it ends with the frame that says `"stop": true`, and an end before that frame is
//! a failure. Connections are kept, and one that the server closes after a stream, although it promised to keep it, costs
//! nothing. Closing one is how a generation is cancelled.
//!
//! This crate knows nothing of tasks, replicas or processes.

mod adapter;
mod assembler;
mod call;
mod failure;
mod generation;
mod line;
mod timeouts;
mod wire;

pub use adapter::LlamacppAdapter;
pub use timeouts::Timeouts;
