//! The configuration tree. Field order is the order of the story; every default stands here.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod idempotency;
mod placement;
mod pool;
mod queue;
mod retry;

pub use idempotency::Idempotency;
pub use placement::Placement;
pub use pool::{EngineKind, Pool};
pub(crate) use queue::CLASSES_MAX;
pub use queue::{FullPolicy, Queue, QueueClass};
pub use retry::Retry;

use crate::quota::Quota;
use crate::refusals::Refusals;

/// The whole file. Every part may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the daemon listens and keeps its data.
    pub server: Server,
    /// The waiting room.
    pub queue: Queue,
    /// Where tasks run.
    pub placement: Placement,
    /// How much tenants may use.
    pub quota: Quota,
    /// Tasks that were turned away.
    pub refusals: Refusals,
    /// Life of sessions.
    pub session: Session,
    /// How long idempotency keys are known again.
    pub idempotency: Idempotency,
    /// When an attempt is tried again.
    pub retry: Retry,
    /// Units of inference capacity. If none is given there is one pool `default` with the embedded engine.
    #[serde(rename = "pool")]
    pub pools: Vec<Pool>,
}

/// Where the daemon listens and keeps its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port, such as `127.0.0.1:8484`; port 0 takes a free one. While there are no
    /// keys, a loopback address.
    pub listen: String,
    /// Directory of the store; made if missing. If left out: `orchestrator` in the user's data directory.
    pub data_dir: Option<PathBuf>,
    /// Store, as a URL: `sqlite:` is the file `orchestrator.db` in the data directory.
    pub store: String,
    /// What is logged, in the syntax of `RUST_LOG`, such as `info` or `orchestratord=debug`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Milliseconds that a graceful end may take before the rest is cut off.
    #[schemars(range(min = 0, max = 600_000))]
    pub shutdown_grace_ms: u64,
    /// Most connections at once; who comes beyond them is answered 503. If left out: 16384. Fewer, and a warning
    /// in the log, where the limit of open files leaves no room for so many beside store and engines.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub connections_max: Option<u32>,
    /// Milliseconds that a connection may take to bring the next request, up to the end of its head. It is
    /// closed then, idle or slow; so let it be longer than clients keep idle connections, often 90 seconds.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub head_timeout_ms: u64,
    /// Milliseconds that the body of a request may take. It is answered 408 then.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub body_timeout_ms: u64,
    /// Milliseconds that a reader may take nothing of what waits for it. Its connection is closed then; a
    /// stream is resumed where it was.
    #[schemars(range(min = 100, max = 3_600_000))]
    pub stall_timeout_ms: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8484".to_owned(),
            data_dir: None,
            store: "sqlite:".to_owned(),
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            shutdown_grace_ms: 5_000,
            connections_max: None,
            head_timeout_ms: 120_000,
            body_timeout_ms: 120_000,
            stall_timeout_ms: 30_000,
        }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Life of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// Milliseconds without a task after which a session is forgotten.
    #[schemars(range(min = 1_000, max = 86_400_000))]
    pub ttl_ms: u64,
    /// Most tasks of one session.
    #[schemars(range(min = 1, max = 10_000))]
    pub turns_max: u32,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            ttl_ms: 600_000,
            turns_max: 8,
        }
    }
}
