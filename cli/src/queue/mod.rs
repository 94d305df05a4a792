//! `orch queue`: holding queues and letting them go on.

mod get;
mod switch;
mod verb;

pub(crate) use verb::Verb;
