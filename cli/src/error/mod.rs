//! Everything that can go wrong, and how it is told: what, why, which knob, what to do.

mod advice;
mod failure;
mod problem;
mod report;
mod trouble;

pub(crate) use failure::Failure;
pub(crate) use report::report;
