//! One at a time: whoever comes second waits, and then finds the work done.

use std::fs::{File, TryLockError};
use std::path::Path;

/// Held as long as it lives; the system lets go of it when the process ends in whatever way.
pub(super) struct Held {
    _file: File,
}

/// Takes the lock beside `folder`, and says so if that means to wait.
pub(super) fn take(folder: &Path) -> Result<Held, String> {
    let path = folder.with_extension("lock");
    let failed = |error: &dyn std::fmt::Display| format!("cannot lock {}: {error}", path.display());
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(|e| failed(&e))?;
    }
    let file = File::create(&path).map_err(|e| failed(&e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            println!(
                "another process works in {}; waiting for it",
                folder.display()
            );
            file.lock().map_err(|e| failed(&e))?;
        }
        Err(TryLockError::Error(e)) => return Err(failed(&e)),
    }
    Ok(Held { _file: file })
}
