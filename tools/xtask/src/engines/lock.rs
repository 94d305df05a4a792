//! One at a time: whoever comes second waits, and then finds the work done.

use crate::say::say;
use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::{Command, Stdio};

/// Held as long as it lives, and by every program that was started under it as long as that lives. The system
/// lets go of it when they end, in whatever way.
pub(super) struct Held {
    file: File,
}

impl Held {
    /// Runs a program to its good end; what it prints is its own.
    ///
    /// Its standard input is the empty lock file. So if this process is killed and the program is not, nobody
    /// else begins to work in the same folder.
    pub(super) fn run(&self, command: &mut Command) -> Result<(), String> {
        let name = command.get_program().display().to_string();
        let input = self
            .file
            .try_clone()
            .map_err(|e| format!("cannot share the lock: {e}"))?;
        match command.stdin(Stdio::from(input)).status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{name} failed ({status}); its words stand above")),
            Err(error) => Err(format!("cannot start {name}: {error}")),
        }
    }
}

/// Takes the lock beside `folder`, and says so if that means to wait.
pub(super) fn take(folder: &Path) -> Result<Held, String> {
    let mut path = folder.as_os_str().to_owned();
    path.push(".lock");
    let path = Path::new(&path);
    let failed = |error: &dyn Display| format!("cannot lock {}: {error}", path.display());
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(|e| failed(&e))?;
    }
    // Open for reading too, because it is what programs are given to read.
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path).map_err(|e| failed(&e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say!(
                "another process works in {}; waiting for it",
                folder.display()
            );
            file.lock().map_err(|e| failed(&e))?;
        }
        Err(TryLockError::Error(e)) => return Err(failed(&e)),
    }
    Ok(Held { file })
}
