//! Golden case `query-lists`.
pub mod types;
pub mod client;
pub type Client = crate::golden::Client<client::sample::Client>;
