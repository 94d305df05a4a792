//! One of several models in memory: whoever needs one takes it, and the next is brought in when nobody uses
//! the last any more.
//!
//! Takers are served in the order in which they came: once one waits for another model, those who come
//! later wait behind it, also for the model that is there. So every model comes up, whatever is asked for
//! how often.

mod held;
mod loader;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use held::Held;
pub(crate) use loader::run as run_loader;
#[cfg(test)]
pub(crate) use state::Loads;
pub(crate) use state::{Holder, Standing, TakeError};
