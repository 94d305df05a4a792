//! Starts real daemons for tests, and ends them in every way that a machine can.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "this crate only serves tests, which may panic"
)]

mod binary;
mod daemon;

pub use binary::binary;
pub use daemon::{Daemon, DaemonOptions};
