//! Where the bytes of a model come from.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The default model, compiled in: `models/haiku-tiny`.
static EMBEDDED: &[u8] = include_bytes!("../../../models/haiku-tiny/haiku-tiny-q8_0.gguf");
const EMBEDDED_NAME: &str = "embedded:haiku-tiny-q8_0.gguf";
const EMBEDDED_FLAG: &str = "embedded:haiku-tiny";
const EMBEDDED_ALIAS: &str = "haiku-tiny";

/// Bytes that can be read from anywhere within.
pub(crate) trait ModelBytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> ModelBytes for T {}

/// What is the same for as long as nobody has written a file anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    device: u64,
    inode: u64,
    length: u64,
    modified: SystemTime,
}

impl FileVersion {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: metadata.modified()?,
        })
    }
}

/// Where the bytes of a model come from.
#[derive(Clone, Debug)]
pub struct Source(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Embedded,
    File(PathBuf),
    Memory { name: String, bytes: Arc<[u8]> },
}

impl Source {
    /// The model that is compiled into this crate.
    pub fn embedded() -> Self {
        Self(Kind::Embedded)
    }

    /// A GGUF file on disk. It is not opened yet.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(path.into()))
    }

    /// A GGUF file that the caller holds in memory, under a name for messages and `/props`.
    pub fn memory(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(Kind::Memory {
            name: name.into(),
            bytes: bytes.into(),
        })
    }

    /// The path, or a name that stands for one: what `/props` gives as `model_path`.
    pub fn name(&self) -> String {
        match &self.0 {
            Kind::Embedded => EMBEDDED_NAME.to_owned(),
            Kind::File(path) => path.display().to_string(),
            Kind::Memory { name, .. } => name.clone(),
        }
    }

    /// The name a model goes by when nobody gave one: its file name.
    pub fn default_alias(&self) -> String {
        match &self.0 {
            Kind::Embedded => EMBEDDED_ALIAS.to_owned(),
            Kind::File(path) => path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned(),
            Kind::Memory { name, .. } => name.clone(),
        }
    }

    /// The model that a flag names: a file, or with this name the one that is compiled in.
    pub(crate) fn named(path: &Path) -> Self {
        match path.to_str() {
            Some(EMBEDDED_FLAG) => Self::embedded(),
            _ => Self::file(path),
        }
    }

    /// Opens it, and tells the version of its file if it is one.
    pub(crate) fn open(&self) -> io::Result<(Box<dyn ModelBytes>, Option<FileVersion>)> {
        match &self.0 {
            Kind::Embedded => Ok((Box::new(Cursor::new(EMBEDDED)), None)),
            Kind::File(path) => {
                // Asked before opening: to open a named pipe would wait for a writer.
                if !std::fs::metadata(path)?.is_file() {
                    return Err(io::Error::other("not a regular file"));
                }
                let file = File::open(path)?;
                let version = FileVersion::of(&file)?;
                Ok((Box::new(BufReader::new(file)), Some(version)))
            }
            Kind::Memory { bytes, .. } => Ok((Box::new(Cursor::new(Arc::clone(bytes))), None)),
        }
    }
}
