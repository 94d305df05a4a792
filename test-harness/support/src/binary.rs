//! Finds the programs under test.

use std::env;
use std::path::PathBuf;

/// Path of a program of this workspace, beside the test in the target directory.
///
/// # Panics
/// If it is not there: `cargo xtask test` builds all programs before it runs tests.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let mut dir = test
        .parent()
        .expect("a program lies in a directory")
        .to_owned();
    if dir.ends_with("deps") {
        dir.pop();
    }
    let path = dir.join(name);
    assert!(
        path.is_file(),
        "{} is missing; build the programs first: cargo build --workspace --bins",
        path.display()
    );
    path
}
