//! What is due when. All on the monotonic clock; none of it is durable.

mod timers;

pub(crate) use timers::{Timer, Timers};
