//! The owner without threads, over the memory store with faults on demand.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod batches;
mod classes;
mod clock;
mod defaults;
mod driver;
mod ends;
mod faults;
mod gate;
mod kill;
mod order;
mod properties;
mod recovery;
mod rig;
pub(crate) mod things;
mod turns;
