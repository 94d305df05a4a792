//! Following a task's stream to its end.

mod follow;
mod lines;
mod sink;
mod text;

pub(crate) use follow::{OnInterrupt, follow};
pub(crate) use sink::Sink;
