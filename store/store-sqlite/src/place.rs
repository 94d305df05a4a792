//! Is the file still where everyone would look for it? Who deletes or moves it does not stop its writer, which
//! would go on to acknowledge what nobody finds again; and whoever opens another file in its place would read what is not ours.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where a file was when it was opened, and which one it is; the same of its write-ahead log, which holds what was
/// acknowledged and not written back yet.
#[derive(Debug)]
pub(crate) struct Place {
    file: Known,
    log: Mutex<Option<Known>>,
}

impl Place {
    /// The place of a file that is there.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: Known::at(path.to_owned())?,
            log: Mutex::default(),
        })
    }

    /// The write-ahead log is there from the first transaction on, and stays until its last connection goes.
    pub(crate) fn with_log(&self) {
        let mut log = self.file.path.clone().into_os_string();
        log.push("-wal");
        *self.log() = Known::at(log.into()).ok();
    }

    /// What is wrong, if one of the files is not there any more, or another one is.
    pub(crate) fn trouble(&self) -> Option<String> {
        let of_log = || self.log().as_ref().and_then(Known::trouble);
        self.file.trouble().or_else(of_log)
    }

    fn log(&self) -> MutexGuard<'_, Option<Known>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A path, and the file that it led to.
#[derive(Debug)]
struct Known {
    path: PathBuf,
    /// Device and number of the file.
    file: (u64, u64),
}

impl Known {
    fn at(path: PathBuf) -> io::Result<Self> {
        let file = identity(&path)?;
        Ok(Self { path, file })
    }

    fn trouble(&self) -> Option<String> {
        let path = self.path.display();
        match identity(&self.path) {
            Ok(found) if found == self.file => None,
            Err(error) if error.kind() != io::ErrorKind::NotFound => Some(format!(
                "{path} cannot be looked at any more ({error}); make it reachable again, or end the daemon"
            )),
            Ok(_) | Err(_) => Some(format!(
                "{path} was moved or deleted while the daemon had it open; put that very file back, or end the daemon"
            )),
        }
    }
}

/// Device and number of the file at a path, and nothing else of it. Whoever asks for its times has the system keep them to
/// the nanosecond from then on, so that the next sync of a commit writes them too: a write more for every commit.
#[cfg(target_os = "linux")]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    use rustix::io::Errno;

    match statx(CWD, path, AtFlags::empty(), StatxFlags::INO) {
        Ok(found) => Ok((
            makedev(found.stx_dev_major, found.stx_dev_minor),
            found.stx_ino,
        )),
        // Some sandboxes do not know this call, or do not let it pass.
        Err(Errno::NOSYS | Errno::PERM) => identity_by_all(path),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    identity_by_all(path)
}

/// The same, asking for everything that there is to know of the file.
fn identity_by_all(path: &Path) -> io::Result<(u64, u64)> {
    let found = std::fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_ask_agree() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let either = [identity(file.path()), identity_by_all(file.path())];
        let [one, other] = either.map(Result::unwrap);
        assert_eq!(one, other);
        let gone = file.path().with_extension("gone");
        assert_eq!(identity(&gone).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
