//! Tests of tools that are written in Python: those that need nothing but the interpreter.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::command;
use crate::root::Root;
use crate::say::say;

/// The folder of the tool whose tests run.
const TOOL: &str = "tools/tiny-model";
/// Ends with success only where the interpreter is new enough.
const NEW_ENOUGH: &str = "import sys; sys.exit(sys.version_info < (3, 11))";

/// The command that repeats it, from the root.
pub(super) const REPEAT: &str = "(cd tools/tiny-model && python3 -m unittest)";

/// The program that runs the tests, or none where there is no Python 3.11: nothing of the product needs it.
pub(super) fn tests(root: &Root) -> Option<Command> {
    if !is_new_enough("python3") {
        say!("skipped: there is no python3 of version 3.11 or later");
        return None;
    }
    let mut python = command::program_in(root, Path::new("python3"));
    python
        .current_dir(root.dir.join(TOOL))
        .args(["-m", "unittest"])
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Some(python)
}

fn is_new_enough(interpreter: &str) -> bool {
    Command::new(interpreter)
        .args(["-c", NEW_ENOUGH])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_that_is_missing_or_another_program_is_not_used() {
        assert!(!is_new_enough("no-such-interpreter"));
        assert!(!is_new_enough("false"));
    }
}
