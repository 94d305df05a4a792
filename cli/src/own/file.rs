//! Which model `--model` means, and the file that it may name.

use std::{
    fs::File,
    io,
    path::{MAIN_SEPARATOR, Path, PathBuf},
};

use crate::{error::Failure, output::counted};

/// The file that a run's `--model` names, if it names one: what ends in `.gguf` or begins as a path does is a file,
/// there or not; so is what has a folder in it and is there. Everything else is a name that a daemon knows.
pub(crate) fn named_file(model: &str) -> Option<PathBuf> {
    let path = Path::new(model);
    let ending = path.extension().unwrap_or_default();
    let begins_as_path = path.is_absolute() || path.starts_with(".") || path.starts_with("..");
    let is_there = || model.contains(MAIN_SEPARATOR) && path.exists();
    (ending.eq_ignore_ascii_case("gguf") || begins_as_path || is_there()).then(|| path.to_owned())
}

/// A model file that is there and can be read.
#[derive(Clone, Debug)]
pub(crate) struct ModelFile {
    /// As the user wrote it.
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

impl ModelFile {
    /// Looks whether it is there. What it holds is the engine's business.
    ///
    /// # Errors
    ///
    /// If it is not there, is no file or cannot be read.
    pub(crate) fn find(path: PathBuf) -> Result<Self, Failure> {
        match bytes_of(&path) {
            Ok(bytes) => Ok(Self { path, bytes }),
            Err(error) => Err(Failure::NoModelFile {
                detail: format!("{}: {error}", path.display()),
            }),
        }
    }

    /// The size, for people.
    pub(crate) fn size(&self) -> String {
        match self.bytes as f64 {
            bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
            bytes if bytes >= 1e6 => format!("{:.1} MB", bytes / 1e6),
            bytes if bytes >= 1e3 => format!("{:.1} kB", bytes / 1e3),
            _ => counted(self.bytes, "byte"),
        }
    }
}

fn bytes_of(path: &Path) -> io::Result<u64> {
    let about = File::open(path)?.metadata()?;
    if about.is_file() {
        Ok(about.len())
    } else {
        Err(io::Error::other("this is no file"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_path_is_told_from_a_name() {
        for path in [
            "a.gguf",
            "models/none.GGUF",
            "./a",
            "../a",
            "/none",
            "./a/b",
        ] {
            assert_eq!(named_file(path), Some(path.into()), "{path}");
        }
        for name in [
            "haiku-tiny",
            "Cargo.toml",
            "qwen2.5",
            "org/model",
            ".hidden",
        ] {
            assert_eq!(named_file(name), None, "{name}");
        }
        assert_eq!(named_file("src/lib.rs"), Some("src/lib.rs".into()));
    }

    #[test]
    fn sizes_are_in_the_unit_that_fits() {
        let size = |bytes| {
            ModelFile {
                path: "a".into(),
                bytes,
            }
            .size()
        };
        assert_eq!(
            [1, 998_600, 1_049_000, 4_683_000_000].map(size),
            ["1 byte", "998.6 kB", "1.0 MB", "4.7 GB"]
        );
    }

    #[test]
    fn what_is_no_file_is_said() {
        let Failure::NoModelFile { detail } = ModelFile::find("/".into()).unwrap_err() else {
            panic!("another failure");
        };
        assert_eq!(detail, "/: this is no file");
    }
}
