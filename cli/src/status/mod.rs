//! `orch status`: one page about the whole deployment.

mod gauges;
mod survey;
mod verb;

pub(crate) use verb::Args;
