//! `orch task`: everything about tasks, a file for each verb.

mod bulk;
mod cancel;
mod create;
mod create_batch;
mod describe;
mod get;
mod list;
mod refused;
mod requeue;
mod result;
mod stream;
mod verb;
mod why;

pub(crate) use verb::Verb;
