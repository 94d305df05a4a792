//! `orch task`: everything about tasks, a file for each verb.

mod bulk;
mod cancel;
mod create;
mod create_batch;
mod describe;
mod get;
mod list;
mod requeue;
mod result;
mod stream;
mod verb;
mod why;

pub(crate) use describe::candidates_of;
pub(crate) use verb::Verb;
