//! Golden case `optional-and-nullable`.
pub mod types;
