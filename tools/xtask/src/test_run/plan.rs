//! The steps of `cargo xtask test`, as data.
//!
//! Cheap failures come first. The workspace is compiled in two modes, each once and always with the same
//! packages and features: checked (clippy) and built (programs and tests). The programs are built before
//! the tests run, because tests start real daemons, and before the generation checks, which then need no
//! build of their own.

use super::python;
use crate::launch::{GENERATOR, SCHEMA_EMITTER};

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Make sure that the system packages are there.
    Packages,
    /// The real parts that tests need: which are there, and whether that will do.
    Engines,
    /// The house rules, in this process.
    Tidy,
    /// The tests of tools in Python, where there is one.
    Python,
    /// Cargo with these arguments.
    Cargo(&'static [&'static str]),
    /// A program that an earlier step built, asked to check what it generated.
    Check(&'static str),
}

/// One step of the plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Its name in the table.
    pub(super) name: &'static str,
    pub(super) action: Action,
    /// The command that repeats the step alone, if cargo's own line is not the one.
    repeat: Option<&'static str>,
}

impl Step {
    const fn cargo(name: &'static str, args: &'static [&'static str]) -> Self {
        Self {
            name,
            action: Action::Cargo(args),
            repeat: None,
        }
    }

    const fn own(name: &'static str, action: Action, repeat: &'static str) -> Self {
        Self {
            name,
            action,
            repeat: Some(repeat),
        }
    }

    /// The command that repeats this step.
    pub(super) fn command(&self) -> String {
        match (self.repeat, self.action) {
            (Some(command), _) => command.to_owned(),
            (None, Action::Cargo(args)) => format!("cargo {}", args.join(" ")),
            (None, _) => "cargo xtask test".to_owned(),
        }
    }

    /// Whether tests run in it, which then must not write snapshots.
    pub(super) fn runs_tests(&self) -> bool {
        matches!(self.action, Action::Cargo(["test" | "nextest", ..]))
    }
}

/// All steps, in order.
pub(super) fn steps(nextest: bool) -> Vec<Step> {
    let tests: &[&str] = if nextest {
        &["nextest", "run", "--workspace", "--profile", "ci"]
    } else {
        &["test", "--workspace", "--lib", "--bins", "--tests"]
    };
    vec![
        Step::own("packages", Action::Packages, "cargo xtask test"),
        Step::own("engines", Action::Engines, "cargo xtask engines"),
        Step::cargo("fmt", &["fmt", "--all", "--check"]),
        Step::own("tidy", Action::Tidy, "cargo xtask tidy"),
        Step::own("python", Action::Python, python::REPEAT),
        Step::cargo(
            "clippy",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ),
        Step::cargo("build", &["build", "--workspace", "--bins", "--tests"]),
        Step::own(
            "openapi",
            Action::Check(GENERATOR),
            "cargo xtask regen-openapi --check",
        ),
        Step::own(
            "schema",
            Action::Check(SCHEMA_EMITTER),
            "cargo xtask regen-schema --check",
        ),
        Step::cargo("tests", tests),
        Step::cargo("doctests", &["test", "--workspace", "--doc"]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_steps_come_before_compilation_and_programs_before_their_users() {
        for nextest in [true, false] {
            let names: Vec<_> = steps(nextest).iter().map(|step| step.name).collect();
            let at = |name| names.iter().position(|n| *n == name);
            assert!(at("fmt") < at("clippy") && at("tidy") < at("clippy"));
            assert!(at("build") < at("openapi") && at("build") < at("schema"));
            assert!(at("build") < at("tests") && at("tests") < at("doctests"));
        }
    }

    #[test]
    fn every_compilation_is_of_the_whole_workspace() {
        for nextest in [true, false] {
            for step in steps(nextest) {
                let Action::Cargo(args) = step.action else {
                    continue;
                };
                let whole = args.contains(&"--workspace") || args.contains(&"--all");
                assert!(whole, "{} would compile with other features", step.name);
                assert!(!args.contains(&"--release"), "{}", step.name);
            }
        }
    }

    #[test]
    fn only_the_test_steps_run_tests() {
        let running: Vec<_> = steps(false)
            .into_iter()
            .filter(Step::runs_tests)
            .map(|step| step.command())
            .collect();
        assert_eq!(
            running,
            [
                "cargo test --workspace --lib --bins --tests",
                "cargo test --workspace --doc"
            ]
        );
    }
}
