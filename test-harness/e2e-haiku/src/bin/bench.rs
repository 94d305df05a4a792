//! Measurements against the budgets; `cargo xtask bench` builds it and what it measures.

use std::fmt::Display;
use std::process::ExitCode;

use clap::Parser;
use test_harness_e2e_haiku::bench::{BenchArgs, run};
use test_harness_support::{say, whisper};

#[tokio::main]
async fn main() -> ExitCode {
    let args = BenchArgs::parse();
    let told = match run(&args).await {
        Ok(report) if args.json => {
            let text = serde_json::to_string_pretty(&report);
            say(text.expect("a report is plain JSON"))
        }
        Ok(report) => say(report),
        Err(error) => return failed(error),
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

fn failed(why: impl Display) -> ExitCode {
    whisper(format!("bench: {why}"));
    ExitCode::FAILURE
}
