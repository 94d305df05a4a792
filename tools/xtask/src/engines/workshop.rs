//! A folder in which steps are done one after the other, each once: what broke off goes on at its step.

use crate::say::say;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder, and what to run to go on.
pub(super) struct Workshop {
    dir: PathBuf,
    command: &'static str,
    steps: usize,
    step: usize,
}

impl Workshop {
    /// Opens a folder in which `steps` steps will be done, for the verb that `command` calls.
    pub(super) fn open(dir: PathBuf, command: &'static str, steps: usize) -> Result<Self, String> {
        fs::create_dir_all(&dir).map_err(|e| format!("cannot create {}: {e}", dir.display()))?;
        Ok(Self {
            dir,
            command,
            steps,
            step: 0,
        })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Does a step that makes the folder or file `product`, unless it has been done before. What a broken off
    /// try has left of it is removed first.
    pub(super) fn make(
        &mut self,
        title: &str,
        product: &str,
        work: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<(), String> {
        let done = self.dir.join(format!("{product}.done"));
        if done.is_file() {
            self.announce(&format!("{title}: done before"));
            return Ok(());
        }
        self.announce(title);
        let product = self.dir.join(product);
        remove(&product)?;
        work(&product).map_err(|why| self.advise(title, &why))?;
        fs::write(&done, "").map_err(|e| format!("cannot write {}: {e}", done.display()))
    }

    /// Does a step that knows itself where it broke off.
    pub(super) fn go_on(
        &mut self,
        title: &str,
        work: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        self.announce(title);
        work().map_err(|why| self.advise(title, &why))
    }

    fn announce(&mut self, title: &str) {
        self.step += 1;
        say!("[{}/{}] {title}", self.step, self.steps);
    }

    fn advise(&self, title: &str, why: &str) -> String {
        format!(
            "{title}: {why}\nto go on from here: {}\nto start afresh, first remove {}",
            self.command,
            self.dir.display()
        )
    }
}

/// Removes a file or folder, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), String> {
    let removed = match path.symlink_metadata() {
        Err(_) => return Ok(()),
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(|e| format!("cannot remove {}: {e}", path.display()))
}

/// Whether a program can be started with these arguments and ends well. It may say nothing.
pub(super) fn works(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
