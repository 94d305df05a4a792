//! Golden case `body-limit`.
pub mod types;
pub mod server;
