//! Many tasks cancelled, or taken back into the queue, by one command.
//!
//! What is done to each task is what `task_cancel` and `task_requeue` do to one. A bulk is a *walk*: the machine goes
//! over its live tasks by id, a few in each step, and remembers in the row of the bulk how far it came, in the same
//! commit as what it did. So a bulk over any number of tasks holds nobody up for long, and goes on after a restart.
//! It touches no task that was accepted after it began. What it would meet is counted by the same walk.

mod bulks;
mod record;

pub use bulks::{BULKS_PER_TENANT_MAX, Bulks};
pub use record::{BulkAction, BulkBegin, BulkCount, BulkFilter, BulkRecord, BulkTally, LiveState};
