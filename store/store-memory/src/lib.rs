//! A store in memory, for tests and simulation.
//!
//! [`MemoryStore`] keeps what a store must keep, with the same guards, and nothing survives the
//! process. Clones share one state, like connections to one database. [`MemoryStore::snapshot`] is the
//! disk as a crash would leave it, and [`Faults`] makes commits, probes and reads fail on demand.

mod apply;
mod bulk;
mod control;
mod faults;
mod owner;
mod read;
mod state;

pub use faults::{Fault, Faults};
pub use owner::MemoryStore;
