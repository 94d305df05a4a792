//! Drives the machine: prefetch, step, commit, release.
//!
//! [`OwnerState`] is the owner without threads, clocks or channels: it steps the machine, gathers what
//! comes out into batches, says what to ask of the store, and holds everything back until the store has
//! answered. [`spawn`] puts it on a thread of its own together with its store; what comes while a commit runs is
//! the next batch, and what comes alone while that thread sleeps may be done by who brings it. [`OwnerHandle`] is how the rest of
//! the process talks to it.
//!
//! Order is kept: what a batch lets out (facts for telemetry, effects, the view, answers) comes after
//! everything of the batches before it, also where it changed nothing itself.
//!
//! When the store fails for good, the owner steps down: all who wait are told whether their request is
//! known not to have been applied, the machine is dropped, and another is recovered from what is durable. Ends
//! that were on their way, and may be durable, are then looked up and told.

mod batch;
mod clock;
mod desk;
mod dice;
mod doubts;
mod down;
mod driver;
mod error;
mod events;
mod facts;
mod flight;
mod handle;
mod incoming;
mod intake;
mod lanes;
mod limits;
mod mailbox;
mod outlet;
mod release;
mod rest;
mod state;
mod term;
mod turns;
mod view;
mod waiters;

pub use clock::{Clock, SystemClock};
pub use dice::Dice;
pub use driver::{Owner, spawn};
pub use error::OwnerUnavailable;
pub use flight::{StoreAnswer, StoreCall};
pub use handle::OwnerHandle;
pub use limits::OwnerLimits;
pub use outlet::{Notice, Outlet};
pub use release::{Deliver, Question, Release};
pub use state::OwnerState;
pub use view::LiveView;

#[cfg(test)]
pub(crate) mod tests;
