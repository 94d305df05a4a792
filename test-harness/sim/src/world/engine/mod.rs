//! Engines: what they write is a function of replica set, prompt and seed, until a fault says otherwise.

mod generation;
mod text;

pub(crate) use generation::Engine;
pub(crate) use text::Source;
