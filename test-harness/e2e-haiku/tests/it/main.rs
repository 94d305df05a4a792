//! Journeys against real daemons with a real engine and the model that is compiled in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that unwraps fails at the right line"
)]

mod attached;
mod contract;
mod door;
mod durability;
mod endings;
mod engine_loss;
mod haiku;
mod metrics;
mod picture;
mod queue;
mod raw;
mod real_clients;
mod real_llama_server;
mod refusals;
mod results;
mod resume;
mod startup;
mod streams;
mod tour;
mod world;
