//! Adapter for engines that speak the llama.cpp server dialect: `llama-server` itself and `orch-engine`.
//!
//! It uses `GET /health`, `GET /props`, `POST /apply-template` and the stream of `POST /completion`. The
//! stream has no `[DONE]`: it ends with the frame that says `"stop": true`, and an end before that frame is
//! a failure. `llama-server` closes the connection after a stream, so each generation has one of its own there;
//! `orch-engine` promises to keep it. Closing it is how a generation is cancelled.
//!
//! An engine may serve several models and have one in memory at a time: `llama-server` as a router, and `orch-engine`.
//! Then an adapter is for one of them, and names it in everything that it asks.
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
