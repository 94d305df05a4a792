//! The load: clients that hand over work, read, leave, come back, cancel and repeat themselves.

mod asker;
mod body;
mod client;
mod crowd;
mod reading;
mod words;

pub(crate) use asker::Asker;
pub(crate) use body::digest;
pub(crate) use crowd::Crowd;
pub(crate) use reading::{Pace, Reading, Source, Way};
