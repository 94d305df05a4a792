//! What to run, and how patiently.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use worker_adapter::{Adapter, AdapterError};

/// Makes the adapter for an engine at a base URL.
pub type AdapterFactory = Arc<dyn Fn(&str) -> Result<Arc<dyn Adapter>, AdapterError> + Send + Sync>;

/// One replica that lives in a process.
#[derive(Clone)]
pub struct ReplicaSpec {
    /// Its name, for events.
    pub name: String,
    /// Makes the adapter for it: for its model, where the process serves several.
    pub adapters: AdapterFactory,
}

impl ReplicaSpec {
    /// A replica of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, adapters: AdapterFactory) -> Self {
        Self {
            name: name.into(),
            adapters,
        }
    }
}

impl fmt::Debug for ReplicaSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicaSpec")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One engine process to keep running.
///
/// The command must print the line `listening on http://HOST:PORT` on standard output when it accepts
/// requests, and end when its standard input ends: that is how it dies with its supervisor. `orch-engine`
/// does so with `--exit-on-stdin-eof`.
#[derive(Clone, Debug)]
pub struct EngineSpec {
    /// Name of the process, for logs.
    pub process: String,
    /// The binary.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables added to the supervisor's own environment.
    pub env: Vec<(OsString, OsString)>,
    /// Variables of the supervisor's own environment that are not for the process, such as secrets.
    pub env_kept: Vec<OsString>,
    /// Soft limit of the files that it may have open, if that is less than the supervisor's own. It is set when the
    /// process is there already, so its first instructions may see the other. Linux only.
    pub open_files_max: Option<u64>,
    /// How patiently.
    pub policy: Policy,
}

impl EngineSpec {
    /// A command without arguments, with the default policy.
    #[must_use]
    pub fn new(process: impl Into<String>, command: impl Into<PathBuf>) -> Self {
        Self {
            process: process.into(),
            command: command.into(),
            args: Vec::new(),
            env: Vec::new(),
            env_kept: Vec::new(),
            open_files_max: None,
            policy: Policy::default(),
        }
    }
}

/// How patiently a process is kept running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// From its start to the proof that it decodes, every model of it. A model file without a reported digest
    /// is read whole within this time.
    pub ready_timeout: Duration,
    /// From the end of its standard input to the kill, when it is stopped.
    pub stop_grace: Duration,
    /// Pause before a restart.
    pub backoff: Backoff,
    /// How many restarts.
    pub budget: RestartBudget,
    /// Health checks while it is ready.
    pub watch: Watch,
}

/// Pause before a restart: doubles with each failure up to a bound; the last half of it is chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first restart.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

/// How many restarts within what time; one more failure, and the supervisor gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartBudget {
    /// Restarts; 0 never restarts.
    pub restarts: u32,
    /// Within this time, sliding.
    pub window: Duration,
    /// Once it was ready for this long, its earlier failures are forgotten.
    pub stable_after: Duration,
}

/// Health checks while it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// From the outcome of one check to the next.
    pub interval: Duration,
    /// A check without an answer after this time is a miss.
    pub timeout: Duration,
    /// This many misses in a row end the process; at least 1.
    pub misses: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ready_timeout: Duration::from_secs(120),
            stop_grace: Duration::from_secs(5),
            backoff: Backoff {
                first: Duration::from_millis(200),
                most: Duration::from_secs(10),
            },
            budget: RestartBudget {
                restarts: 5,
                window: Duration::from_secs(300),
                stable_after: Duration::from_secs(60),
            },
            watch: Watch {
                interval: Duration::from_secs(2),
                timeout: Duration::from_secs(2),
                misses: 3,
            },
        }
    }
}
