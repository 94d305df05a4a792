//! What must hold, seen from inside: one property a file. What can be judged from outside is judged by
//! `test-harness/history`, with the same checkers that watch real processes.

mod answers_fit;
mod batches;
mod book;
mod bounds;
mod bulks;
mod conservation;
mod court;
mod epochs;
mod metered_once;
mod no_alarm;
mod one_set;
mod order;
mod orders_carried_out;
mod processes;
mod queue_view;
mod quotas;
mod reasons;
mod recovery_is_live;
mod released_durable;
mod session_budgets;
mod sight;
mod slots;
mod starts_in_time;
mod starvation;
#[cfg(test)]
mod testing;
mod turns;

pub(crate) use answers_fit::{Asked as Question, fits};
pub use court::{Broken, Checker, Court, promises};
pub use sight::Sight;
