//! The program as a whole: the real binary, over real HTTP, against a server that keeps to a script.
//! Journeys against the real daemon are elsewhere.

#![allow(
    clippy::unwrap_used,
    reason = "a test that unwraps fails at the right line"
)]

mod fixtures;
mod orch;
mod script;
mod server;

mod bulks;
mod errors;
mod help;
mod interrupts;
mod keys;
mod prompts;
mod queues;
mod quotas;
mod refusals;
mod runs;
mod servers;
mod tables;
mod terminals;
