//! The one slot: requests wait in line, one thread serves them, and a request that nobody waits for
//! any more gives the slot back within a token.

mod cancel;
mod events;
mod queue;
#[cfg(test)]
mod tests;
mod totals;
mod worker;

pub(crate) use events::{Event, Outcome, Ticket};
pub(crate) use queue::{MAX_WAITING, Refusal, Slot};
pub(crate) use totals::Totals;
pub(crate) use worker::run as run_worker;
