//! Golden case `names`.
pub mod types;
