//! Why the owner gave no answer.

use thiserror::Error;

/// Why a command has no reply. Each says what may be assumed of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OwnerUnavailable {
    /// More commands wait than the lane takes. Nothing was done.
    #[error("too many commands wait; try again in {retry_after_ms} ms")]
    Busy {
        /// When it may be worth trying again.
        retry_after_ms: u64,
    },
    /// It was not carried out, and never will be.
    #[error("the command was not carried out: {0}")]
    NotApplied(String),
    /// It may or may not have been carried out.
    #[error("it is not known whether the command was carried out: {0}")]
    Unknown(String),
}

impl OwnerUnavailable {
    /// True if the command is known not to have been carried out, so that repeating it is safe.
    #[must_use]
    pub fn is_not_applied(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::NotApplied(_) => true,
            Self::Unknown(_) => false,
        }
    }
}
