//! The simulator: the real machine and the real owner in a world of its own.
//!
//! One process, one thread, no clock, no socket, no chance but the seed's: a [`Plan`] drawn from a seed says
//! what clients want and what goes wrong, a [`World`] lets it happen on a virtual clock, and checkers watch
//! from inside and from outside. A run has two phases: first faults come, then everything is mended and must
//! come to its end. What runs is the product's own logic (the machine, the owner's state, attempts, streams,
//! readers); only the thin drivers around it, the store, the engines and the clients are the world's.
//!
//! `docs/simulation.md` says how to use it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod agenda;
pub mod chance;
pub mod checkers;
pub mod cli;
pub mod coverage;
pub mod plan;
pub mod plant;
pub mod report;
pub mod shrink;
pub mod story;
pub mod world;

pub use plan::Plan;
pub use plant::Plant;
pub use world::{Outcome, World};
