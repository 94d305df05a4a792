//! `cargo xtask test`: one plan of steps, cheap failures first, and a table of what each cost.

mod cpu;
mod packages;
mod plan;
mod python;
mod report;
mod runner;
mod skipped;
mod slowest;

pub(crate) use runner::test;
