//! The adapter against a scripted engine with recordings, and against real engines.

#![allow(clippy::unwrap_used)]

mod base_url;
mod connections;
mod dialect;
mod live;
mod recordings;
mod several_models;

test_harness_adapter_suite::conformance!(recordings::kept());
