//! The project's task runner: `cargo xtask <verb>`.
//!
//! It has no dependencies, so that it compiles in a moment and never decides the features of anybody
//! else's dependencies. Whatever needs libraries (the generator, the demo, the benches) is a program
//! of its own that the runner builds and starts.

mod command;
mod engines;
mod launch;
mod nearest;
mod root;
mod say;
mod test_run;
mod tidy;
mod verbs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match verbs::dispatch(&args) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xtask: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}
