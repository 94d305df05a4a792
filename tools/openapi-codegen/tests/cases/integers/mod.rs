//! Golden case `integers`.
pub mod types;
