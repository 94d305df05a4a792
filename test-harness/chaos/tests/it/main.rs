//! Small runs with real processes, and the proof that a run sees what is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that unwraps fails at the right line"
)]

mod bites;
mod survives;
