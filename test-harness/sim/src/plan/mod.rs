//! What a seed means, drawn up front as data: how the deployment is set up, what clients want and when, and
//! what goes wrong and when. A run is a function of its plan and seed, so a plan with entries left out is a
//! run as good as any other: that is how a failure is made short.

mod act;
mod batches;
mod bulks;
mod classes;
mod draw_faults;
mod draw_operations;
mod fault;
mod operation;
mod processes;
mod sessions;
mod setup;
mod whole;

pub use act::Act;
pub use bulks::Bulk;
pub(crate) use draw_operations::WALL_ZERO_MS;
pub use fault::{CrashPoint, Fault, LateCommit, letter};
pub use operation::{Habit, Item, Operation, Want, Wish};
pub(crate) use sessions::PUT_TOKENS;
pub(crate) use setup::Bands;
pub use setup::{DaemonSetup, Pace, ReplicaSetup, Setup};
pub use whole::{Plan, Timed};
