//! The adapter against a scripted engine. Against a real one it is tested where one is supervised, in
//! `pool-managerd`.

#![allow(clippy::unwrap_used)]

mod base_url;
mod dialect;

test_harness_adapter_suite::conformance!(dialect::Llamacpp);
