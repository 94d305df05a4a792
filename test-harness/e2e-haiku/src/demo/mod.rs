//! The first tour: everything started, one real task, and what it cost.

mod account;
mod journey;
mod page;
mod ready;
mod stay;

pub use journey::{DemoArgs, DemoError, run};
