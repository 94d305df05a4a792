//! Generates what the contract implies, or checks that it is up to date.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use openapi_codegen::output;

const USAGE: &str = "usage: openapi-codegen [--check] [--root DIR]";

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            // The exit code says it too, should nobody read.
            let _nobody_reads = write!(io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(report) => {
            let _nobody_reads = write!(io::stderr(), "{report}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, String> {
    let mut check = false;
    let mut root = PathBuf::from(".");
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--root" => root = arguments.next().ok_or(format!("{USAGE}\n"))?.into(),
            other => return Err(format!("`{other}` is not known\n{USAGE}\n")),
        }
    }
    let files = output::make(&root).map_err(|faults| {
        let lines: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
        format!("{lines}the contract has {} faults\n", faults.len())
    })?;
    let io = |error: io::Error| format!("{}: {error}\n", root.display());
    if check {
        let differences = output::compare(&root, &files).map_err(io)?;
        return match differences.is_empty() {
            true => Ok(format!("{} generated files are up to date\n", files.len())),
            false => Err(output::advice(&differences)),
        };
    }
    let changed = output::write(&root, &files).map_err(io)?;
    let lines: String = changed.iter().map(|d| format!("was {d}\n")).collect();
    Ok(format!(
        "{lines}{} generated files, {} changed\n",
        files.len(),
        changed.len()
    ))
}
