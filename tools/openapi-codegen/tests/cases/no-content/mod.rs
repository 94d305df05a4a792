//! Golden case `no-content`.
pub mod types;
pub mod server;
pub mod client;
pub type Client = crate::golden::Client<client::sample::Client>;
