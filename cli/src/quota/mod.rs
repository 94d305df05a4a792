//! `orch quota`: how much tenants and keys may use, a file for each verb.

mod describe;
mod get;
mod list;
mod put;
mod verb;
mod whose;

pub(crate) use verb::Verb;
