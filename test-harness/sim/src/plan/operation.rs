//! What clients want.

use std::fmt;

use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{Determinism, Engine, OnDisconnect};

use super::act::Act;
use crate::agenda::{MILLI, Micros};

/// How a reader behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habit {
    /// It leaves after so many frames of a connection, if it does.
    pub leaves_after: Option<u32>,
    /// How long it stays away, or for good if it does not come back.
    pub away: Option<Micros>,
    /// How long it takes for a frame.
    pub frame: Micros,
}

/// What a new task asks for. Numbers name things by their place in the setup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Number of the prompt: tasks with the same one have the same prompt.
    pub prompt: u32,
    /// Bytes of the prompt.
    pub bytes: u64,
    /// Number of the model, if one is named; one more than there are is a model that nobody serves.
    pub model: Option<u32>,
    /// Kind of engine, if one is named.
    pub engine: Option<Engine>,
    /// Least context.
    pub ctx: Option<u32>,
    /// Most tokens.
    pub max_tokens: u32,
    /// Past the model's end.
    pub ignore_eos: bool,
    /// Class.
    pub priority: ClassName,
    /// Milliseconds within which it must have ended.
    pub deadline_ms: Option<u64>,
    /// Earliest start, by the wall clock in milliseconds.
    pub run_at_ms: Option<u64>,
    /// Number of the session.
    pub session: Option<u32>,
    /// What the last reader's leaving means.
    pub on_disconnect: OnDisconnect,
    /// Repeatability.
    pub determinism: Determinism,
    /// Number of the key that it is handed over with, if that is let in; nobody's otherwise.
    pub key: Option<u64>,
}

/// One task of several that are handed over together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its number.
    pub task: usize,
    /// True if the client names it, and so can try again.
    pub named: bool,
    /// There if the same batch had it before; true if the payload is another.
    pub again: Option<bool>,
    /// What it asks for.
    pub wish: Wish,
    /// How its stream is read, if it is.
    pub read: Option<Habit>,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.task)?;
        f.write_str(match (self.named, self.again) {
            (_, Some(true)) => " with another payload",
            (_, Some(false)) => " again",
            (false, None) => " without naming it",
            (true, None) => "",
        })
    }
}

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// A new task.
    Submit {
        /// Its number.
        task: usize,
        /// True if the client names it, and so can try again.
        named: bool,
        /// True if it comes under an idempotency key.
        keyed: bool,
        /// What it asks for.
        wish: Wish,
        /// How its stream is read, if it is.
        read: Option<Habit>,
    },
    /// New tasks, handed over together.
    SubmitMany {
        /// The tasks, in their order.
        items: Vec<Item>,
    },
    /// The same task once more, with the same payload or another.
    Again {
        /// Its number.
        task: usize,
        /// True if the payload is another.
        changed: bool,
    },
    /// To end a task.
    Cancel {
        /// Its number.
        task: usize,
    },
    /// To see how a task stands.
    Look {
        /// Its number.
        task: usize,
    },
    /// To read a task's stream.
    Read {
        /// Its number.
        task: usize,
        /// How.
        habit: Habit,
    },
    /// To let a parked task run again.
    Requeue {
        /// Its number.
        task: usize,
    },
    /// To do what operators do.
    Operate(Act),
    /// To end a session.
    EndSession {
        /// Its number.
        session: u32,
    },
}

/// One thing that a client wants, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// When.
    pub at: Micros,
    /// Who.
    pub client: usize,
    /// What.
    pub want: Want,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {} ", self.client)?;
        match &self.want {
            Want::Submit {
                task,
                named,
                keyed,
                wish,
                read,
            } => {
                let name = if *named { "" } else { " without naming it" };
                let key = if *keyed { " under a key" } else { "" };
                write!(
                    f,
                    "submits t{task}{name}{key} ({}, at most {} tokens",
                    wish.priority, wish.max_tokens
                )?;
                if let Some(ms) = wish.deadline_ms {
                    write!(f, ", within {ms} ms")?;
                }
                if let Some(ms) = wish.run_at_ms {
                    write!(f, ", not before {ms}")?;
                }
                if let Some(session) = wish.session {
                    write!(f, ", session s{session}")?;
                }
                f.write_str(if read.is_some() {
                    "), and reads it"
                } else {
                    ")"
                })
            }
            Want::SubmitMany { items } => {
                f.write_str("submits together")?;
                for (number, item) in items.iter().enumerate() {
                    let comma = if number == 0 { "" } else { "," };
                    write!(f, "{comma} {item}")?;
                }
                Ok(())
            }
            Want::Again { task, changed } => {
                let what = if *changed {
                    "another payload"
                } else {
                    "the same payload"
                };
                write!(f, "submits t{task} again, with {what}")
            }
            Want::Cancel { task } => write!(f, "cancels t{task}"),
            Want::Look { task } => write!(f, "looks at t{task}"),
            Want::Requeue { task } => write!(f, "takes t{task} back into the queue"),
            Want::Read { task, habit } => {
                write!(f, "reads t{task}")?;
                match (habit.leaves_after, habit.away) {
                    (Some(frames), Some(away)) => {
                        write!(f, ", leaves after {frames} frames for {} ms", away / MILLI)
                    }
                    (Some(frames), None) => write!(f, ", leaves after {frames} frames"),
                    (None, _) => Ok(()),
                }
            }
            Want::Operate(act) => write!(f, "{act}"),
            Want::EndSession { session } => write!(f, "ends session s{session}"),
        }
    }
}
