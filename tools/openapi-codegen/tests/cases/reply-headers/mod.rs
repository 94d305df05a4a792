//! Golden case `reply-headers`.
pub mod types;
pub mod server;
