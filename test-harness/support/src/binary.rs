//! Finds the programs of this workspace.

use std::env;
use std::path::PathBuf;

use thiserror::Error;

/// A program of this workspace is not where it is built.
#[derive(Clone, Debug, Error)]
#[error("{} is missing; build the programs first: cargo build --workspace --bins", .path.display())]
pub struct MissingProgram {
    /// Where it was looked for.
    pub path: PathBuf,
}

/// Path of a program of this workspace, beside the running one in the target directory.
///
/// # Errors
/// If it is not there.
pub fn find_program(name: &str) -> Result<PathBuf, MissingProgram> {
    let mut dir = env::current_exe().unwrap_or_default();
    dir.pop();
    if dir.ends_with("deps") {
        dir.pop();
    }
    let path = dir.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    if path.is_file() {
        Ok(path)
    } else {
        Err(MissingProgram { path })
    }
}

/// Path of a program of this workspace, for tests.
///
/// # Panics
/// If it is not there: `cargo xtask test` builds all programs before it runs tests.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    find_program(name).unwrap_or_else(|missing| panic!("{missing}"))
}
