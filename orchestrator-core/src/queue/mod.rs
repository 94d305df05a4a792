//! Who waits, and in which order they run.
//!
//! Classes, as many as the operator names, each bounded at the front door only. One total order for each group of pools,
//! in one function ([`order()`]): band, then what the flow has had of the group, then the turn. Pools are a group if
//! they share engine processes, directly or through others; a pool that shares none is a group of its own.
//!
//! - A *band* holds the tasks of one class or several; the first holds every task that is due as well. A band goes
//!   before the next one, strictly.
//! - A *flow* is what one tenant has waiting in one class. Inside a band flows share the group by weight, counted in
//!   tokens. The weight of a flow is that of its tenant times that of its class.
//! - A *turn* orders a flow: who is due sooner goes first, then who was accepted first. A task is due at its deadline,
//!   and at the ageing bound if that is sooner. FIFO is claimed among tasks of one flow without a deadline that could
//!   run on the same replicas, and among no others.
//!
//! The bound on waiting: once a task has waited for the ageing bound it competes in the first band, whatever its
//! class, and nobody accepted since goes before it in its flow, but on processes beside one that is kept for it. What
//! is served before it is then at most what waits in its flow already, and for every token of that each other flow's
//! weight over its own in tokens of theirs.
//!
//! A process that several models share generates with one at a time, and to change it costs time. So the model that it
//! holds may go on, out of order and within a bound. A task *could have* a process if a replica of it that takes work
//! suits it, were the process idle. Who is first among those who could have some process with a slot free is served
//! there at once if the process holds its model or nothing. Else, of the processes that it could have:
//!
//! - On one that has a slot free the first task of the model that it holds may *pass*: if it is of the same band, if
//!   nobody who is due and could have the process is before it, if who is first has no deadline, and if what has
//!   passed there since the process last served in the order comes to no more than the bound with it, in tokens that
//!   tasks are expected to cost (`model_run_tokens_max` of [`crate::placement::Policy`]).
//! - One on which nobody may pass changes its model for who is first, if it is idle. If none of these is, one is *kept*:
//!   the one with the fewest slots taken, then the first by name. Nothing begins on it before it is idle. All
//!   others go on, for whoever is first of the rest; the flow whose task keeps one keeps no second for the same model.
//! - Only where somebody may pass on all of them, one does: the first in the order.
//!
//! What that keeps, for each process that a task could have, for as long as it is the first in the order there: no more
//! tokens than the bound pass it there, and while that process is kept for it, nothing begins there that does not pass
//! within what is left of the bound. Which one is kept may change, but only for one with fewer slots taken or an
//! earlier name, so that its turn comes when what runs there has ended. Nobody who is due is passed. Whoever passes is
//! charged as ever, and the clock of the shares stands still meanwhile: what two flows get that both wait differs from
//! their weights by the bound for each process more than it did.
//!
//! Session affinity changes nothing about the order: it is a preference of placement, among replicas that are free anyway.
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
pub(crate) use lanes::{Lanes, Next, Place, Shares, Stand};
pub(crate) use tree::Entry;
