//! What a supervisor tells.

use std::fmt;
use std::process::ExitStatus;
use std::sync::Arc;

use worker_adapter::{Adapter, EngineFacts};

/// Something that happened to one replica.
#[derive(Clone, Debug)]
pub struct SupervisorEvent {
    /// Name of the replica.
    pub replica: String,
    /// Which start of the process, from 1.
    pub run: u32,
    /// What happened.
    pub news: News,
}

/// What happened to a replica: what happens to a process happens to each that lives in it. The order is: `Starting`, then perhaps `Ready`, then `Down`; again for each restart; at the
/// end perhaps `GaveUp`. A process that cannot be started at all gives `Down` alone.
#[derive(Clone)]
pub enum News {
    /// The process runs; it takes no work yet.
    Starting {
        /// Its process id.
        pid: u32,
    },
    /// It has decoded, and takes work.
    Ready {
        /// Its base URL.
        url: String,
        /// Its facts, with `model_digest` always set.
        facts: EngineFacts,
        /// How to speak to it.
        adapter: Arc<dyn Adapter>,
    },
    /// It takes no work any more; it is started again unless `GaveUp` follows.
    Down {
        /// What is wrong and what to do, with the last lines of its standard error.
        detail: String,
        /// How it ended; `None` if it was never started or is about to be killed.
        exit: Option<ExitStatus>,
    },
    /// It stays down: the budget of restarts is spent.
    GaveUp {
        /// The budget, the last failure, and what to do.
        detail: String,
    },
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting { pid } => f.debug_struct("Starting").field("pid", pid).finish(),
            Self::Ready { url, facts, .. } => f
                .debug_struct("Ready")
                .field("url", url)
                .field("facts", facts)
                .finish_non_exhaustive(),
            Self::Down { detail, exit } => f
                .debug_struct("Down")
                .field("detail", detail)
                .field("exit", exit)
                .finish(),
            Self::GaveUp { detail } => f.debug_struct("GaveUp").field("detail", detail).finish(),
        }
    }
}
