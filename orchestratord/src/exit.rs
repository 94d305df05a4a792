//! How the program ends, and what it says then.

use std::io::{self, Write};
use std::process::ExitCode;

/// The end of what was to be done; what went wrong is said.
#[must_use]
pub fn ended<E: ToString>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("orchestratord: {}", error.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong with what we were told. 2 is the code of usage faults.
#[must_use]
pub fn refuse(text: &str) -> ExitCode {
    say(text);
    ExitCode::from(2)
}

/// Says something to whoever looks. If nobody can be told, the exit code has to do.
fn say(text: &str) {
    let _nobody_looks = writeln!(io::stderr(), "{text}");
}
