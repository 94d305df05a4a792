//! The directory of the store.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::ServeError;
use crate::settings::DataPlace;

/// The directory of the store, which is there. A temporary one is removed when this is dropped.
pub(super) enum DataDir {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl DataDir {
    /// Makes it, if it is missing.
    pub(super) fn made(place: &DataPlace) -> Result<Self, ServeError> {
        let refused = |path: &Path, source| ServeError::DataDir {
            path: path.display().to_string(),
            source,
        };
        match place {
            DataPlace::Kept(dir) => match fs::create_dir_all(dir) {
                Ok(()) => Ok(Self::Kept(dir.clone())),
                Err(source) => Err(refused(dir, source)),
            },
            DataPlace::Temporary => tempfile::Builder::new()
                .prefix("orchestratord-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|source| refused(&std::env::temp_dir(), source)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Temporary(dir) => dir.path(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_temporary_directory_goes_with_its_content_and_another_stays() {
        let temporary = DataDir::made(&DataPlace::Temporary).unwrap();
        let path = temporary.path().to_owned();
        fs::write(path.join("orchestrator.db"), "").unwrap();
        drop(temporary);
        assert!(!path.exists());
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("made/if/missing");
        drop(DataDir::made(&DataPlace::Kept(place.clone())).unwrap());
        assert!(place.is_dir());
    }
}
