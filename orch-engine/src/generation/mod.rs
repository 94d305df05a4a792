//! One generation: a prompt in, tokens out, one step at a time.
//!
//! No threads, no clock, no network: whoever drives it decides when the next step is taken and
//! whether there is one.

mod likelihood;
mod steps;
mod stop;
#[cfg(test)]
mod tests;
mod throttle;

pub(crate) use likelihood::Likelihood;
pub(crate) use steps::{End, Generation, Request, Step};
pub(crate) use throttle::Throttle;
