//! What the generated types lean on.

pub mod check;
pub mod de;
mod event;
mod fault;
mod listed;

pub use event::{Event, EventError, UnlistedEvent, event_data, event_payload};
pub use fault::{Fault, Validate};
pub use listed::{NotListed, Unlisted, UnlistedObject};
