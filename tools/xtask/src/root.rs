//! Where the repository is, and where its programs are built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository in which the runner was started.
pub(crate) struct Root {
    /// The folder that holds the workspace manifest.
    pub(crate) dir: PathBuf,
}

impl Root {
    /// The nearest workspace at or above the folder of this package, or else of the caller.
    pub(crate) fn find() -> Result<Self, String> {
        // Cargo names the package it runs; the compiled-in path would be wrong when several checkouts
        // share one target directory.
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(dir) => PathBuf::from(dir),
            None => env::current_dir().map_err(|e| format!("no current folder: {e}"))?,
        };
        workspace_above(&start)
            .map(|dir| Self { dir })
            .ok_or_else(|| {
                format!(
                    "no workspace at or above {}; start `cargo xtask` inside the repository",
                    start.display()
                )
            })
    }

    /// The program `name` in the folder that cargo built this runner into.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, String> {
        let runner = env::current_exe().map_err(|e| format!("cannot find my own program: {e}"))?;
        let folder = runner.parent().unwrap_or(&self.dir);
        Ok(folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
    }

    /// The program `name` as `cargo build --release` leaves it, beside the folder of this runner.
    pub(crate) fn released(&self, name: &str) -> Result<PathBuf, String> {
        let beside = self.program(name)?;
        let folder = beside.parent().and_then(Path::parent).unwrap_or(&self.dir);
        let program = beside.file_name().unwrap_or_default();
        Ok(folder.join("release").join(program))
    }
}

fn workspace_above(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .find(|dir| {
            fs::read_to_string(dir.join("Cargo.toml"))
                .is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
        })
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_above_this_package() {
        let root = Root::find().expect("tests run inside the repository");
        assert!(root.dir.join("tools/xtask/Cargo.toml").is_file());
    }
}
