//! A small proxy between two real programs, so that the wire between them can be cut.

mod carry;
mod link;
mod sniff;

pub(crate) use link::Link;
pub(crate) use sniff::Generations;
