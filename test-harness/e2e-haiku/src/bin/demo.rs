//! The first tour; `cargo xtask demo` builds it and everything that it starts.

use std::process::ExitCode;

use clap::Parser;
use test_harness_e2e_haiku::demo::{DemoArgs, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&DemoArgs::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}
