//! One step of a story. Those that come often are numbers; the rest are words already.

use std::fmt;

use orchestrator_core::id::TaskId;

use crate::plan::letter;

/// A task as stories name it: by the number that its client gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name(pub TaskId);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0.0 & 0xffff)
    }
}

/// One step.
#[derive(Clone, Debug, Hash)]
pub enum Step {
    /// A commit was applied.
    Applied {
        /// Whose.
        daemon: usize,
        /// Under which epoch.
        epoch: u64,
        /// Its number.
        commit: u64,
        /// Its mutations.
        mutations: usize,
    },
    /// A client was sent frames of a task's stream.
    Frames {
        /// Whose errand.
        errand: usize,
        /// How many.
        frames: usize,
        /// Where the reader stands now.
        position: u64,
    },
    /// An attempt got a token from its engine.
    Token {
        /// Which attempt.
        attempt: u32,
        /// Which token.
        index: u64,
    },
    /// Anything else.
    Said(String),
    /// A daemon came back because it had asked to be woken.
    Woken(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied {
                daemon,
                epoch,
                commit,
                mutations,
            } => write!(
                f,
                "store: commit {commit} of daemon {} is durable ({mutations} mutations, epoch {epoch})",
                letter(*daemon)
            ),
            Self::Frames {
                errand,
                frames,
                position,
            } => write!(
                f,
                "reader e{errand} gets {frames} frames, and stands at {position}"
            ),
            Self::Token { attempt, index } => write!(f, "a{attempt} gets token {index}"),
            Self::Said(words) => f.write_str(words),
            Self::Woken(daemon) => write!(f, "daemon {} wakes", letter(*daemon)),
        }
    }
}
