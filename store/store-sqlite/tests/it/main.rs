//! The SQLite store passes the conformance suite, guards its directory and refuses what it cannot use.
#![allow(clippy::unwrap_used)]

mod conformance;
mod ownership;
mod refusal;
mod trouble;
