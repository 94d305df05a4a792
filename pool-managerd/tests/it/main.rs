//! The supervisor with real processes: shell scripts with an engine of this program behind them, and the
//! real embedded engine.

#![allow(clippy::unwrap_used)]

#[cfg(unix)]
mod attached;
#[cfg(unix)]
mod orphan;
#[cfg(unix)]
mod real_engine;
#[cfg(unix)]
mod restarting;
mod several_replicas;
#[cfg(unix)]
mod starting;
#[cfg(unix)]
mod stopping;
#[cfg(unix)]
mod support;
