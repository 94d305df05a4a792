//! Journeys against real daemons with a real engine and the model that is compiled in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that unwraps fails at the right line"
)]

mod attached;
mod batches;
mod budgets;
mod bulks;
mod classes;
mod connections;
mod contract;
mod crowd;
mod deadlines;
mod door;
mod durability;
mod endings;
mod engine_loss;
mod engines;
mod haiku;
mod idempotency;
mod key_secrets;
mod key_streams;
mod keys;
mod metrics;
mod own_model;
mod pauses;
mod picture;
mod played;
mod predictions;
mod queue;
mod quotas;
mod raw;
mod readers;
mod real_clients;
mod real_llama_server;
mod refusals;
mod refused;
mod results;
mod resume;
mod scheduled;
mod shell;
mod startup;
mod store_refusals;
mod store_trouble;
mod streams;
mod tour;
mod turns;
mod wire;
mod world;
