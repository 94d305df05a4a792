//! Is the file still where everyone would look for it? Who deletes or moves it does not stop its writer, which
//! would go on to acknowledge what nobody finds again.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where a file was when it was opened, and which one it is.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// Device and number of the file.
    file: (u64, u64),
}

impl Place {
    /// The place of a file that is there.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: identity(&fs::metadata(path)?),
        })
    }

    /// What is wrong, if the file is not there any more, or another one is.
    pub(crate) fn trouble(&self) -> Option<String> {
        let found = fs::metadata(&self.path).as_ref().map(identity).ok();
        (found != Some(self.file)).then(|| {
            format!(
                "{} was moved or deleted while the daemon had it open; put that very file back, or end the daemon",
                self.path.display()
            )
        })
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
