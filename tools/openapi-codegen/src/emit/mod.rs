//! From the contract to Rust and JSON text.

pub mod client;
pub mod json;
mod paths;
mod rust;
pub mod server;
pub mod types;

pub use paths::{COMMAND, Paths};
pub use rust::{docs, render};
