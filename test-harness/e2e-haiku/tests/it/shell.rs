//! The daemon behind a line of shell, for what only its surroundings can do to it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;
use test_harness_support::binary;

/// A program that prepares its surroundings and then is the daemon, under the same process id.
pub(crate) struct Shell(TempDir);

impl Shell {
    /// `line` is put before the daemon's own command line, such as `nice -n 5`, or `ulimit -n 9 && exec`.
    pub(crate) fn new(line: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let daemon = binary("orchestratord");
        let text = format!("#!/bin/sh\n{line} '{}' \"$@\"\n", daemon.display());
        let shell = Self(dir);
        fs::write(shell.program(), text).unwrap();
        fs::set_permissions(shell.program(), fs::Permissions::from_mode(0o755)).unwrap();
        shell
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.0.path().join("daemon")
    }
}
