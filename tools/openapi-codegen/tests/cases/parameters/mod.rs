//! Golden case `parameters`.
pub mod types;
pub mod server;
