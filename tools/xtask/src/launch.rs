//! Verbs that build a program of the repository and hand over to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::root::Root;
use crate::verbs::{Failure, Outcome, flags};

/// The generator: contract in, crates out.
pub(crate) const GENERATOR: &str = "openapi-codegen";
/// The program that writes `contracts/schemas/config.schema.json`.
pub(crate) const SCHEMA_EMITTER: &str = "config-schema-emit";

/// How the generators are built: alone, so that they work while the rest of the tree does not compile.
const BUILD_GENERATOR: &[&str] = &["build", "--package", GENERATOR, "--bins"];
const BUILD_SCHEMA_EMITTER: &[&str] = &["build", "--package", "config-schema", "--bins"];

/// Measure the development build.
const DEV: &str = "--dev";

/// How daemon, engine and measurements are built to be measured.
const BUILD_MEASURED: &[&str] = &[
    "build",
    "--release",
    "--package",
    "orchestratord",
    "--package",
    "orch-engine",
    "--package",
    "test-harness-e2e-haiku",
    "--bins",
];

/// How the daemons and the journeys are built.
///
/// The whole workspace with the features that tests use (`--examples` asks for those; there are no
/// examples to build). `cargo xtask test` builds with the same features, so each finds what the other
/// compiled; naming single packages would compile half of the dependencies a second time.
const BUILD_PROGRAMS: &[&str] = &["build", "--workspace", "--bins", "--examples"];

pub(crate) fn regen_openapi(root: &Root, args: &[String]) -> Outcome {
    flags("regen-openapi", args, ["--check"])?;
    build_and_start(root, BUILD_GENERATOR, GENERATOR, args)
}

pub(crate) fn regen_schema(root: &Root, args: &[String]) -> Outcome {
    flags("regen-schema", args, ["--check"])?;
    build_and_start(root, BUILD_SCHEMA_EMITTER, SCHEMA_EMITTER, args)
}

/// The first tour; the journey itself is the program `demo` of `test-harness/e2e-haiku`.
pub(crate) fn demo(root: &Root, args: &[String]) -> Outcome {
    build_and_start(root, BUILD_PROGRAMS, "demo", args)
}

/// Measurements; each is a word of the program `bench` of `test-harness/e2e-haiku`.
///
/// What is measured is what a user runs, so it is built with optimisation; `--dev` takes the development build
/// instead, which is there already and tells whether a measurement works, not how fast anything is.
pub(crate) fn bench(root: &Root, args: &[String]) -> Outcome {
    let args: Vec<String> = args.to_vec();
    if args.iter().any(|arg| arg == DEV) {
        let rest: Vec<String> = args.into_iter().filter(|arg| arg != DEV).collect();
        return build_and_start(root, BUILD_PROGRAMS, "bench", &rest);
    }
    eprintln!(
        "building with optimisation: minutes the first time, seconds after that; {DEV} does without"
    );
    build(root, BUILD_MEASURED, "bench")?;
    hand_over_to(root, &root.released("bench")?, "bench", &args)
}

/// Real kills under load; the program `chaos` of `test-harness/chaos`.
pub(crate) fn chaos(root: &Root, args: &[String]) -> Outcome {
    build_and_start(root, BUILD_PROGRAMS, "chaos", args)
}

/// The simulator; the program `sim` of `test-harness/sim`.
pub(crate) fn sim(root: &Root, args: &[String]) -> Outcome {
    build_and_start(root, BUILD_PROGRAMS, "sim", args)
}

fn build_and_start(root: &Root, how: &[&str], name: &str, args: &[String]) -> Outcome {
    build(root, how, name)?;
    hand_over_to(root, &root.program(name)?, name, args)
}

fn build(root: &Root, build: &[&str], name: &str) -> Result<(), Failure> {
    let status = command::cargo(root, build)
        .status()
        .map_err(|e| format!("cannot start cargo: {e}"))?;
    if !status.success() {
        return Err(format!(
            "`{name}` was not started because `cargo {}` failed",
            build.join(" ")
        )
        .into());
    }
    Ok(())
}

fn hand_over_to(root: &Root, program: &Path, name: &str, args: &[String]) -> Outcome {
    let mut start = command::program_in(root, there(program, name)?);
    start.args(args);
    hand_over(start)
}

/// Where a program lies that cargo was just asked to build.
pub(crate) fn built(root: &Root, name: &str) -> Result<PathBuf, String> {
    let program = root.program(name)?;
    there(&program, name)?;
    Ok(program)
}

fn there<'a>(program: &'a Path, name: &str) -> Result<&'a Path, String> {
    if program.is_file() {
        Ok(program)
    } else {
        Err(format!(
            "the build made no program `{name}` at {}; is it still a [[bin]] of its package?",
            program.display()
        ))
    }
}

/// Becomes the program, so that Ctrl-C and its exit code are its own.
#[cfg(unix)]
fn hand_over(mut program: Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    let error = program.exec();
    Err(format!("cannot start {program:?}: {error}").into())
}

#[cfg(not(unix))]
fn hand_over(mut program: Command) -> Outcome {
    let status = program
        .status()
        .map_err(|e| format!("cannot start {program:?}: {e}"))?;
    Ok(std::process::ExitCode::from(
        u8::try_from(status.code().unwrap_or(1)).unwrap_or(1),
    ))
}
