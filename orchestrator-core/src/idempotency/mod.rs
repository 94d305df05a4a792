//! Which task a caller's idempotency key stands for, so that a repeat of a request makes nothing twice.
//!
//! A key is known here by a hash only. It is bound in the step that accepts its task, and so in the same commit;
//! a refused request binds nothing, and its key may be used again. What is kept is bounded in time and in number,
//! the oldest is forgotten first.

mod bindings;
mod record;

pub use record::{IdempotencyKey, IdempotencyRecord};

pub(crate) use bindings::Bindings;
