//! Who waits, and in which order they run.
//!
//! Two classes, each bounded at the front door only. One total order, in one function ([`order`]): band,
//! then accept sequence; a batch task that has waited for the ageing bound counts as interactive. FIFO is
//! claimed among tasks equal in all that comes before the accept sequence, and among no others. Affinity
//! never changes the order: it is a preference of placement, among replicas that are free anyway.
//!
//! Tasks that ask for the same things wait in one lane; the number of lanes is bounded by what the
//! configuration offers, never by the queue's length. Every operation costs O(lanes x log n).

mod front;
mod lanes;
mod order;
mod tree;

pub use front::{ClassLimit, FullPolicy};
pub use lanes::LaneKey;
pub use order::{OrderKey, order};

pub(crate) use front::{Admission, FrontDoor};
pub(crate) use lanes::{Lanes, Place};
pub(crate) use tree::Entry;
