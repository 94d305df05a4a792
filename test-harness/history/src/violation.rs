//! What a checker says.

use std::fmt;

use serde::Serialize;

use crate::id::TaskId;

/// What a broken property means to whoever relies on the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// Work was done, kept or counted twice.
    Doubled,
    /// Something that was acknowledged is gone.
    Lost,
    /// A reader was given a text that is none.
    Spliced,
    /// Something waits for ever.
    Stuck,
    /// Something that was said is not so.
    Untrue,
}

impl Harm {
    /// Every kind of harm.
    pub const ALL: [Self; 5] = [
        Self::Doubled,
        Self::Lost,
        Self::Spliced,
        Self::Stuck,
        Self::Untrue,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Doubled => "doubled",
            Self::Lost => "lost",
            Self::Spliced => "spliced",
            Self::Stuck => "stuck",
            Self::Untrue => "untrue",
        }
    }
}

/// What must hold of every history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it means if it is broken.
    pub harm: Harm,
    /// What must hold, in a sentence.
    pub says: &'static str,
}

impl Property {
    /// It was broken.
    #[must_use]
    pub fn broken(self, at_ms: u64, task: Option<TaskId>, what: String) -> Violation {
        Violation {
            property: self,
            at_ms,
            task,
            what,
        }
    }
}

/// A property was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// When that was seen; for what is missing at the end, when the end was seen.
    pub at_ms: u64,
    /// The task that it is about, if it is about one.
    pub task: Option<TaskId>,
    /// What was seen, in words.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            property,
            at_ms,
            task,
            what,
        } = self;
        write!(
            f,
            "{} ({}) at {at_ms} ms",
            property.harm.name(),
            property.name
        )?;
        if let Some(task) = task {
            write!(f, ", task {task}")?;
        }
        write!(f, ": {what}. {}", property.says)
    }
}
