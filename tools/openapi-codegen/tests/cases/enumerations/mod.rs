//! Golden case `enumerations`.
pub mod types;
