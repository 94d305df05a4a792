//! Where a task runs.
//!
//! - [`plan`] is a pure function over a snapshot of replicas: the choice, and counts for each reason against.
//!   [`report`] asks the same judge again for every replica, when someone wants to know why.
//! - [`Fleet`] is that snapshot, kept by the machine: pools, replicas, their own count of slots taken.
//!   Telemetry never enters it.

mod config;
mod facts;
mod fleet;
mod outlook;
mod plan;
mod process;
mod replica;
mod room;
mod view;

pub use config::{PoolConfig, ReplicaConfig};
pub use facts::{ReplicaFacts, ReplicaSetKey};
pub use fleet::Fleet;
pub use plan::{
    Candidate, Decision, Policy, Request, Verdict, VerdictCounts, plan, report, report_of_some,
};
pub use replica::{Replica, ReplicaEvent, ReplicaState, ReplicaStep, Residency, Sharing, next};
pub use view::{PoolState, PoolView, ReplicaSetView, ReplicaView, ReplicaViewState};

pub(crate) use outlook::Doom;
pub(crate) use process::{Group, Precedence, Process};
pub(crate) use room::suits;
