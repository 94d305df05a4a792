//! The control plane daemon.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use orchestratord::serve::serve;
use orchestratord::settings::{Args, ConfigCommand, Verb, check_file, load};

/// A task is hundreds of small pieces that one thread makes and another one drops, which is what this allocator is
/// quick at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    match args.verb {
        Some(Verb::Config(ConfigCommand::Check { file })) => match check_file(&file) {
            Ok(_) => {
                // The exit code says it too, should nobody read.
                let _nobody_reads = writeln!(io::stdout(), "{}: no fault found", file.display());
                ExitCode::SUCCESS
            }
            Err(error) => refuse(&error.to_string()),
        },
        None => match load(&args.serve) {
            Ok(settings) => match serve(settings) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    say(&format!("orchestratord: {error}"));
                    ExitCode::FAILURE
                }
            },
            Err(error) => refuse(&error.to_string()),
        },
    }
}

/// Says what is wrong with what we were told. 2 is the code of usage faults.
fn refuse(text: &str) -> ExitCode {
    say(text);
    ExitCode::from(2)
}

/// Says something to whoever looks. If nobody can be told, the exit code has to do.
fn say(text: &str) {
    let _nobody_looks = writeln!(io::stderr(), "{text}");
}
