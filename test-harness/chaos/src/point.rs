//! The moments at which a fault may strike.

use serde::Serialize;

/// A moment in the life of a task or of the daemon that can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// A client is about to hand over a task.
    Submitting,
    /// A task was acknowledged.
    Accepted,
    /// A task was dispatched, as a reader is told.
    Started,
    /// The first token of a task reached a reader.
    FirstToken,
    /// A token in the middle did.
    MidStream,
    /// The last token did, the end did not: the terminal commit is under way or just done.
    LastToken,
    /// The end reached a reader.
    Ended,
    /// A client is about to cancel.
    Cancelling,
    /// A cancel was acknowledged.
    Cancelled,
    /// The daemon was started again and does not accept requests yet.
    Recovering,
    /// It has just begun to accept requests, and to start again what it found.
    Recovered,
    /// Nothing in particular: time passed.
    Anytime,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 12] = [
        Self::Submitting,
        Self::Accepted,
        Self::Started,
        Self::FirstToken,
        Self::MidStream,
        Self::LastToken,
        Self::Ended,
        Self::Cancelling,
        Self::Cancelled,
        Self::Recovering,
        Self::Recovered,
        Self::Anytime,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitting => "submitting",
            Self::Accepted => "accepted",
            Self::Started => "started",
            Self::FirstToken => "first token",
            Self::MidStream => "mid-stream",
            Self::LastToken => "last token",
            Self::Ended => "ended",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Recovering => "recovering",
            Self::Recovered => "recovered",
            Self::Anytime => "any time",
        }
    }
}
