//! Golden case `maps`.
pub mod types;
