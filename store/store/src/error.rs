//! What can go wrong, told apart by what the owner must do about it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use thiserror::Error;

/// Why a commit has no good end. The three differ in what may be assumed afterwards.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Nothing of it is durable: busy, disk full, serialization. The same batch may be tried again.
    #[error("the commit was not applied: {0}")]
    NotApplied(String),
    /// It may or may not be durable. Probe before anything else.
    #[error("it is unknown whether the commit was applied: {0}")]
    Unknown(String),
    /// Another owner holds the shard. Step down.
    #[error("another owner has taken over: {0}")]
    Fenced(String),
    /// A guard did not hold although the fence did: owner and store disagree. Step down and say so loudly.
    #[error("the store does not hold what the owner believes: {0}")]
    Broken(String),
}

/// Why a store cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process owns it.
    #[error("{} is in use by another daemon ({holder}); stop that one, or give this one another data directory", .path.display())]
    Held {
        /// What is in use.
        path: PathBuf,
        /// What the holder wrote about itself: process id and address.
        holder: String,
    },
    /// It is there and not usable: corrupt, of a newer version, or not a store at all.
    #[error("{} cannot be used: {reason}", .path.display())]
    Unusable {
        /// What is not usable.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The operating system said no.
    #[error("{}: {source}; {}", .path.display(), remedy(.source))]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// Why a read failed. Nothing is known about what it looked for.
#[derive(Debug, Error)]
#[error("the store could not be read: {0}")]
pub struct ReadError(pub String);

/// What to do where the operating system said no.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "let the user that runs the daemon write there, or give the daemon another data directory"
        }
        ErrorKind::QuotaExceeded | ErrorKind::StorageFull => {
            "make room there, or give the daemon another data directory"
        }
        _ => "mend that, or give the daemon another data directory",
    }
}
