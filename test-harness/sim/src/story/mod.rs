//! What happened, step by step: hashed whole, and kept in words for as long as it may be of use.

mod step;
mod telling;

pub use step::{Name, Step};
pub use telling::{KEPT, Story};
