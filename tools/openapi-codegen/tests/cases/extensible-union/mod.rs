//! Golden case `extensible-union`.
pub mod types;
