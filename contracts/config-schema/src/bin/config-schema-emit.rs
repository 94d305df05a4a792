//! Writes `contracts/schemas/config.schema.json`, or with `--check` says whether it is up to date.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let mut check = false;
    let mut root = PathBuf::from(".");
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--check" => check = true,
            "--root" => root = args.next().map_or(root, PathBuf::from),
            other => {
                eprintln!(
                    "config-schema-emit: unknown argument `{other}`; usage: config-schema-emit [--check] [--root DIR]"
                );
                return ExitCode::from(2);
            }
        }
    }
    let path = root.join("contracts/schemas/config.schema.json");
    let wanted = config_schema::schema_json();
    if fs::read_to_string(&path).is_ok_and(|present| present == wanted) {
        return ExitCode::SUCCESS;
    }
    if check {
        eprintln!(
            "{} is stale; run `cargo xtask regen-schema`",
            path.display()
        );
        return ExitCode::FAILURE;
    }
    match fs::write(&path, wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} cannot be written: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
