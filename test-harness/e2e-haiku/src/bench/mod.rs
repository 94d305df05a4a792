//! Measurements against the budgets. Each is a word of the program `bench`, a file here, and rows of a report.

mod args;
mod machine;
mod memory;
mod report;
mod setup;

pub use args::{BenchArgs, BenchError, run};
pub use report::{Report, Row};
