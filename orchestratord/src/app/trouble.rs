//! Why the app could not do what was asked, without a word about HTTP.

use orchestrator_core::id::{KeyId, ProjectId};
use orchestrator_core::refusal::{Refusal, RefusedTask};
use uuid::Uuid;

use crate::keys::Turned;

/// Why something was not done.
#[derive(Debug)]
pub enum Trouble {
    /// More commands wait than can be committed; nothing was done.
    Busy {
        /// When it may be worth trying again.
        retry_after_ms: u64,
    },
    /// The cursor is none of ours.
    Cursor,
    /// A field is at odds with another, or with what it is about.
    Invalid {
        /// Which.
        pointer: &'static str,
        /// What is wrong, and what to do.
        detail: String,
    },
    /// The daemon has never had a key, and the first one is not made by a request.
    KeysOff,
    /// There is no such thing.
    Missing(Missing),
    /// The operating system gives no random bytes.
    NoChance(String),
    /// The daemon lacks something that it needs to do its job.
    NotReady(Vec<Prerequisite>),
    /// The key works in another project.
    ProjectForbidden {
        /// Which key.
        key: KeyId,
        /// Its project.
        project: ProjectId,
    },
    /// The machine said no.
    Refused(Refusal),
    /// The store could not be read.
    Store(String),
    /// The machine did not let a task in.
    TaskRefused(Box<RefusedTask>),
    /// The caller was not let in.
    Turned(Turned),
    /// It is not known whether a command was carried out.
    Unresolved {
        /// The task that it would have created or concerned.
        task: Option<Uuid>,
        /// True if repeating it is safe: it carried a key, or is known not to have been carried out.
        safe: bool,
    },
}

/// What there is none of.
#[derive(Debug)]
pub enum Missing {
    /// A bulk.
    Bulk(Uuid),
    /// A pool.
    Pool {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A refusal.
    Refusal(String),
    /// A session.
    Session(Uuid),
    /// A task.
    Task(Uuid),
}

/// Something that the daemon needs and lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prerequisite {
    /// What, such as `pool/default`.
    pub what: String,
    /// How it stands.
    pub detail: String,
    /// What to do.
    pub hint: String,
}

impl From<store::ReadError> for Trouble {
    fn from(error: store::ReadError) -> Self {
        Self::Store(error.to_string())
    }
}
