//! Joins the small files of one API into one document in which every reference is local.

mod hoist;
mod reference;
mod source;

pub use hoist::{Bundle, bundle};
pub use source::Sources;
