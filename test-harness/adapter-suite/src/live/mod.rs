//! The suite over an engine that really runs.
//!
//! Two things are asked of it. [`cases`] talk to it through the adapter. [`capture`](capture()) takes what it
//! sends from the wire, and the cases over recordings then play that back with every border, cut and pause: so
//! what holds for recordings of long ago holds for the engine of today.

mod capture;
pub mod cases;
mod engine;
mod tap;

pub use capture::capture;
pub use engine::{LiveEngine, Pace, adapter};
