//! `orch bulk`: commands over many tasks, a file for each verb. They are begun by `orch task cancel --all` and
//! `orch task requeue --all`.

mod describe;
mod get;
mod verb;

pub(crate) use describe::describe;
pub(crate) use verb::Verb;
