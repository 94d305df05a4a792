//! Starting cargo and the programs it built.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::root::Root;

/// Cargo, in the root of the repository, with the surroundings that a shell would give it.
pub(crate) fn cargo<S: AsRef<OsStr>>(root: &Root, args: &[S]) -> Command {
    // `cargo run` names the toolchain's own cargo; starting that one skips the proxy's lookup.
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = program_in(root, Path::new(&program));
    command.args(args);
    command
}

/// Any program, in the root of the repository, without what `cargo run` told this process about itself.
pub(crate) fn program_in(root: &Root, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&root.dir);
    // Build scripts watch such variables; inherited ones would rebuild what a plain `cargo build` made.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_about_this_package) {
            command.env_remove(&name);
        }
    }
    if env::var_os("CI").is_some() && env::var_os("CARGO_INCREMENTAL").is_none() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

fn is_about_this_package(name: &str) -> bool {
    [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
        || name == "CARGO_PRIMARY_PACKAGE"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_about_the_runner_is_not_inherited() {
        assert!(is_about_this_package("CARGO_PKG_VERSION"));
        assert!(is_about_this_package("CARGO_MANIFEST_DIR"));
        assert!(!is_about_this_package("CARGO_TARGET_DIR"));
        assert!(!is_about_this_package("CARGO_HOME"));
    }
}
