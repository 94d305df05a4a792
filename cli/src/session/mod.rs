//! `orch session`: everything about sessions, a file for each verb.

mod delete;
mod get;
mod verb;

pub(crate) use verb::Verb;
