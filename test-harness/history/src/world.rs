//! What happens around clients and daemons.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, DaemonId, TaskId};

/// Something that can be killed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// A client.
    Client(ClientId),
    /// A daemon.
    Daemon(DaemonId),
    /// An engine, by a name that it keeps when it is started again.
    Engine(String),
    /// A runner between daemon and engines, by name.
    Runner(String),
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client) => write!(f, "client {client}"),
            Self::Daemon(daemon) => write!(f, "daemon {daemon}"),
            Self::Engine(name) => write!(f, "engine {name}"),
            Self::Runner(name) => write!(f, "runner {name}"),
        }
    }
}

/// What happens to a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessEvent {
    /// It has ended by itself, or because it was asked to.
    Ended,
    /// It is being killed; told before the deed.
    Killed,
    /// It is stopped in mid-air; told before the deed.
    Paused,
    /// It takes work.
    Ready,
    /// It goes on after a pause; told before the deed.
    Resumed,
    /// It is being started; told before the deed.
    Started {
        /// The epoch of its term as an owner, if the observer can know it.
        epoch: Option<u64>,
    },
}

/// What happens to a link between two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkEvent {
    /// Every connection is broken off.
    Cut,
    /// One direction is closed in order, the other goes on.
    HalfClosed,
    /// It works again.
    Restored,
    /// Nothing passes, and nobody is told.
    Stalled,
}

/// What an engine was asked for, and when it stopped. Only where the observer can see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationEvent {
    /// It was asked to generate.
    Begun {
        /// The engine.
        engine: String,
        /// The task, where it can be told.
        task: Option<TaskId>,
        /// Id of the attempt, where it can be seen.
        attempt: Option<u128>,
        /// Seed of the sampling.
        seed: u64,
        /// Digest of the prompt, as in [`Payload::prompt`](crate::Payload::prompt).
        prompt: String,
    },
    /// Nobody takes its tokens any more: it has ended, or was closed from either side.
    Stopped,
}
