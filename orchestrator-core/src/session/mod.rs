//! Affinity, turns and life of a conversation. A session adds no text to a task.
//!
//! A session begins with the first task that names it, or when somebody puts it. It takes a bounded number of tasks,
//! and runs out when for its time to live nobody put it and no task of it was accepted or ended. While the machine runs,
//! that is judged by the monotonic clock; only after a recovery does the wall clock say how much is left, and never more than all.

mod budget;
mod record;
mod sessions;

pub use budget::{Amounts, BudgetKind, SessionBudget, Shortfall};
pub use record::{SessionPut, SessionRecord};
pub use sessions::{SESSIONS_UNUSED_MAX, SessionView};

pub(crate) use sessions::{Newcomer, Sessions};
