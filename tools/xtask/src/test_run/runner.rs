//! Runs the plan, stops at the first failure, prints the table.

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use super::plan::{Action, Step, steps};
use super::report::{Cost, table};
use super::skipped::skipped;
use super::slowest::slowest;
use super::{cpu, packages, python};
use crate::command;
use crate::engines::{self, REQUIRE_VAR};
use crate::launch;
use crate::root::Root;
use crate::say::say;
use crate::tidy;
use crate::verbs::{Outcome, flags};

/// Where the nextest profile `ci` leaves its report; `.config/nextest.toml` names the file.
const JUNIT: &str = "target/nextest/ci/junit.xml";
/// How many slow tests the table shows.
const SLOWEST: usize = 8;

/// Runs every check. The exit code is 0 only if all of them passed.
pub(crate) fn test(root: &Root, args: &[String]) -> Outcome {
    let [no_install, require_engines] = flags("test", args, ["--no-install", "--require-engines"])?;
    let terms = Terms {
        may_install: !no_install,
        require_engines,
    };
    let report = root.dir.join(JUNIT);
    // A report of an earlier run must not pass for one of this run; that there was none is fine.
    let _ = std::fs::remove_file(&report);

    let mut costs = Vec::new();
    let mut failure = None;
    for step in steps(has_nextest(root)) {
        say!("\n=== {}: {}", step.name, step.command());
        let wall = Instant::now();
        let cpu = cpu::used();
        let result = run(root, &step, terms);
        costs.push(Cost {
            name: step.name,
            wall: wall.elapsed(),
            cpu: cpu
                .zip(cpu::used())
                .map(|(before, after)| after.saturating_sub(before)),
        });
        if let Err(why) = result {
            failure = Some(format!(
                "step `{}` failed: {why}\nrepeat it alone: {}",
                step.name,
                step.command()
            ));
            break;
        }
    }

    let junit = std::fs::read_to_string(&report).unwrap_or_default();
    say!("\n{}", table(&costs, &slowest(&junit, SLOWEST)));
    skipped(&junit).iter().for_each(|line| say!("{line}"));
    match failure {
        Some(failure) => Err(failure.into()),
        None => {
            say!("everything passed");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What the command line asked for.
#[derive(Clone, Copy)]
struct Terms {
    /// Missing packages of the system may be installed.
    may_install: bool,
    /// No test may be skipped for want of a real part.
    require_engines: bool,
}

fn run(root: &Root, step: &Step, terms: Terms) -> Result<(), String> {
    match step.action {
        Action::Packages => packages::ensure(terms.may_install),
        Action::Engines => look_for_engines(terms.require_engines),
        Action::Tidy => tidy::check(root),
        Action::Python => python::tests(root).map_or(Ok(()), succeed),
        Action::Cargo(args) => {
            let mut cargo = command::cargo(root, args);
            if step.runs_tests() {
                // Both tell insta to compare and never to write a snapshot.
                cargo.env("CI", "1").env("INSTA_UPDATE", "no");
                if terms.require_engines {
                    cargo.env(REQUIRE_VAR, "1");
                }
            }
            succeed(cargo)
        }
        Action::Check(name) => {
            let mut program = command::program_in(root, &launch::built(root, name)?);
            program.arg("--check");
            succeed(program)
        }
    }
}

/// Says which real parts are there, before anything is compiled in vain.
fn look_for_engines(required: bool) -> Result<(), String> {
    let (lines, complete) = engines::survey();
    lines.iter().for_each(|line| say!("{line}"));
    match (complete, required) {
        (true, _) => Ok(()),
        (false, false) => {
            say!("tests that need what is missing are skipped");
            Ok(())
        }
        (false, true) => Err("--require-engines, and something is missing (see above)".to_owned()),
    }
}

fn succeed(mut program: Command) -> Result<(), String> {
    match program.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(e) => Err(format!(
            "cannot start {}: {e}",
            program.get_program().display()
        )),
    }
}

fn has_nextest(root: &Root) -> bool {
    command::cargo(root, &["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
