//! Digests of model files.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// Computes digests, and remembers the last of each file: a restart does not read the same file again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digests(Arc<Mutex<HashMap<PathBuf, (Version, String)>>>);

/// What must be the same for a file to count as unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    length: u64,
    modified: SystemTime,
}

impl Digests {
    /// `sha256:<hex>` of a file.
    pub(crate) async fn of(&self, path: &Path) -> io::Result<String> {
        let (digests, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || digests.compute(path))
            .await
            .map_err(io::Error::other)?
    }

    /// Holds the lock while it reads, so that a second try waits for the first instead of reading too.
    fn compute(&self, path: PathBuf) -> io::Result<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = File::open(&path)?;
        let meta = file.metadata()?;
        let version = Version {
            length: meta.len(),
            modified: meta.modified()?,
        };
        if let Some((before, digest)) = known.get(&path)
            && *before == version
        {
            return Ok(digest.clone());
        }
        let digest = digest(&mut file)?;
        known.insert(path, (version, digest.clone()));
        Ok(digest)
    }
}

fn digest(source: &mut impl Read) -> io::Result<String> {
    let mut source = BufReader::with_capacity(1 << 20, source);
    let mut hasher = Sha256::new();
    io::copy(&mut source, &mut hasher)?;
    let mut text = "sha256:".to_owned();
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_file_has_its_digest_and_a_changed_file_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.gguf");
        let digests = Digests::default();
        assert!(digests.of(&path).await.is_err());
        std::fs::write(&path, "abc").unwrap();
        let of_abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digests.of(&path).await.unwrap(), of_abc);
        assert_eq!(digests.of(&path).await.unwrap(), of_abc);
        std::fs::write(&path, "").unwrap();
        assert_eq!(
            digests.of(&path).await.unwrap(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
