//! Golden case `security`.
pub mod types;
pub mod server;
