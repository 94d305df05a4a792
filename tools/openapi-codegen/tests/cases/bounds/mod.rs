//! Golden case `bounds`.
pub mod types;
