//! Measurements against the budgets. Each is a word of the program `bench`, a file here, and rows of a report.

mod accept;
mod accept_case;
mod args;
mod cancel;
mod closed_loop;
mod disk;
mod engine;
mod floor;
mod inflow;
mod line;
mod machine;
mod memory;
mod overhead;
mod predictions;
mod processor;
mod report;
mod sample;
mod setup;
mod stand_in;
mod streams;
mod ways;
mod wire;

pub use args::{BenchArgs, BenchError, run};
pub use report::{Case, Findings, Grid, Report, Row};
