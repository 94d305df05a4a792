//! Who waits, and in which order they run.
//!
//! Classes, as many as the operator names, each bounded at the front door only. One total order for each pool, in one
//! function ([`order()`]): band, then what the flow has had of the pool, then the turn.
//!
//! - A *band* holds the tasks of one class or several; the first holds every task that is due as well. A band goes
//!   before the next one, strictly.
//! - A *flow* is what one tenant has waiting in one class. Inside a band flows share the pool by weight, counted in
//!   tokens. The weight of a flow is that of its tenant times that of its class.
//! - A *turn* orders a flow: who is due sooner goes first, then who was accepted first. A task is due at its deadline,
//!   and at the ageing bound if that is sooner. FIFO is claimed among tasks of one flow without a deadline, and among
//!   no others.
//!
//! The bound on waiting: once a task has waited for the ageing bound it competes in the first band, whatever its
//! class, and nobody accepted since goes before it in its flow. What is served before it is then at most what waits
//! in its flow already, and for every token of that each other flow's weight over its own in tokens of theirs.
//!
//! Affinity never changes the order: it is a preference of placement, among replicas that are free anyway.
//!
//! Tasks that ask for the same things wait in one lane; the number of lanes is bounded by what the
//! configuration offers, never by the queue's length. Every operation costs O(lanes x flows x log n).

mod class;
mod classes;
mod fair;
mod front;
mod lanes;
mod order;
mod pause;
mod tree;

pub use class::{ClassConfig, ClassName};
pub use classes::{Class, ClassRank, Classes};
pub use front::FullPolicy;
pub use lanes::LaneKey;
pub use order::{Band, Flow, OrderKey, Turn, VirtualTime, order};
pub use pause::{PauseRecord, Pauses, QueueSwitch};

pub(crate) use fair::{Charge, Fairness};
pub(crate) use front::{Admission, FrontDoor, Victim};
pub(crate) use lanes::{Lanes, Next, Place, Shares};
pub(crate) use tree::Entry;
