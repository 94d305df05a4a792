//! The simulator's program; see the crate `test_harness_sim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    test_harness_sim::cli::main()
}
