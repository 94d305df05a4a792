//! Measurements against the budgets; `cargo xtask bench` builds it and what it measures.

use std::process::ExitCode;

use clap::Parser;
use test_harness_e2e_haiku::bench::{BenchArgs, run};

#[tokio::main]
async fn main() -> ExitCode {
    let args = BenchArgs::parse();
    match run(&args).await {
        Ok(report) if args.json => {
            let text = serde_json::to_string_pretty(&report);
            println!("{}", text.expect("a report is plain JSON"));
            ExitCode::SUCCESS
        }
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
