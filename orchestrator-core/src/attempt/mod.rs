//! One try of a task by one runner, under a lease.
//!
//! # The lease
//!
//! The machine grants it with the order and is the only judge of it, by its own monotonic clock. Every report
//! of the attempt (a renewal, its first token, a chunk) renews it for the full time to live from the moment
//! the machine steps over that report. Renewals are soft: they are never committed, and after a recovery every
//! attempt that may still run gets a fresh lease.
//!
//! - A runner that falls silent for the time to live loses the attempt: the attempt ends `Interrupted`, an
//!   order to stop goes out, and the task is tried again under a new attempt id.
//! - Whatever the old attempt still reports names an id that is no longer live, and changes nothing.
//! - An attempt can therefore never be run twice under one id, and a task never has two live attempts.

mod live;
mod retry;
mod table;

pub use retry::{Retry, RetryLimits, backoff_ms, retry};
pub use table::{AttemptEvent, next};

pub(crate) use live::{LiveAttempt, attempt_id};
