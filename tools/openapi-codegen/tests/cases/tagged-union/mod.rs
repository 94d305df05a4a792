//! Golden case `tagged-union`.
pub mod types;
