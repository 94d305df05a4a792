//! Whose directory it is. The operating system's lock ends with the process, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use store::OpenError;

const FILE_NAME: &str = "orchestrator.lock";

/// Longest note that is read; ours are far shorter.
const NOTE_BYTES_MAX: u64 = 4096;

/// Held as long as this lives.
#[derive(Debug)]
pub(crate) struct DirLock {
    file: File,
    path: PathBuf,
}

impl DirLock {
    /// Takes the lock and writes who holds it.
    pub(crate) fn take(dir: &Path, holder: &str) -> Result<Arc<Self>, OpenError> {
        let path = dir.join(FILE_NAME);
        let io = |source| OpenError::Io {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Held {
                    path: dir.to_owned(),
                    holder: read_note(file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let lock = Self { file, path };
        lock.write_note(holder)?;
        Ok(Arc::new(lock))
    }

    fn write_note(&self, holder: &str) -> Result<(), OpenError> {
        let note = format!("process {}, {holder}\n", std::process::id());
        let mut file = &self.file;
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(note.as_bytes()))
            .map_err(|source| OpenError::Io {
                path: self.path.clone(),
                source,
            })
    }
}

/// What the holder of a directory says about itself to whoever finds it held.
#[derive(Clone, Debug)]
pub struct HolderNote(Weak<DirLock>);

impl HolderNote {
    pub(crate) fn new(lock: &Arc<DirLock>) -> Self {
        Self(Arc::downgrade(lock))
    }

    /// Says something else from now on, such as the address once it is known. Does nothing once the
    /// store is closed.
    ///
    /// # Errors
    /// [`OpenError::Io`] if the lock file cannot be written; the directory is held all the same.
    pub fn set(&self, holder: &str) -> Result<(), OpenError> {
        self.0
            .upgrade()
            .map_or(Ok(()), |lock| lock.write_note(holder))
    }
}

fn read_note(file: File) -> String {
    let mut note = String::new();
    // Where locks are mandatory the note cannot be read; the refusal stands without it.
    let _ = file.take(NOTE_BYTES_MAX).read_to_string(&mut note);
    match note.trim() {
        "" => "it has not said which".to_owned(),
        note => note.to_owned(),
    }
}
