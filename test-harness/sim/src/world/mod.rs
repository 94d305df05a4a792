//! The simulated world: clocks, links, a store, daemons, engines and clients, one event after another.

mod client;
mod clock;
mod daemon;
mod database;
mod ending;
mod engine;
mod event;
mod faults;
mod store_side;
#[expect(
    clippy::module_inception,
    reason = "the world is what this module is about"
)]
mod world;

pub use database::SimStore;
pub use world::{Outcome, World};

pub use daemon::Asked;

#[cfg(test)]
pub(crate) use daemon::facts;
pub(crate) use daemon::{SESSION_TOKENS, at_once, brings_budget};
