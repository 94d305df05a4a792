//! Golden case `aliases`.
pub mod types;
pub mod client;
pub type Client = crate::golden::Client<client::sample::Client>;
