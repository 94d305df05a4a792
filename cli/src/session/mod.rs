//! `orch session`: everything about sessions, a file for each verb.

mod delete;
mod describe;
mod get;
mod put;
mod verb;

pub(crate) use verb::Verb;
