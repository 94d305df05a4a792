//! The memory store passes the conformance suite, and fails as planned.
#![allow(clippy::unwrap_used)]

mod conformance;
