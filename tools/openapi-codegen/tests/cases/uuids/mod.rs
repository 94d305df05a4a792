//! Golden case `uuids`.
pub mod types;
