//! What is due when. All on the monotonic clock; none of it is durable.

mod schedule;
mod timers;

pub(crate) use schedule::Schedule;
pub(crate) use timers::{Timer, Timers};
