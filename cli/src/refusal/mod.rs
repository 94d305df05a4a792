//! `orch refusal`: tasks that were turned away, a file for each verb.

mod describe;
mod get;
mod list;
mod verb;

pub(crate) use describe::describe;
pub(crate) use verb::Verb;
