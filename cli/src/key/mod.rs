//! `orch key`: who may call, a file for each verb.

mod create;
mod describe;
mod list;
mod revoke;
mod rotate;
mod verb;

pub(crate) use describe::scopes;
pub(crate) use verb::Verb;
