//! The program `orch`.

use std::process::ExitCode;

fn main() -> ExitCode {
    orch_cli::main()
}
