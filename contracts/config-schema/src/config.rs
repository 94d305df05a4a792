//! The configuration tree. Field order is the order of the story; every default stands here.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod idempotency;
mod placement;
mod queue;
mod retry;

pub use idempotency::Idempotency;
pub use placement::Placement;
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

/// Kind of inference engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// The `orch-engine` that ships with the daemon, as processes that the daemon starts.
    Embedded,
    /// Servers of llama.cpp that run already, named by `urls`.
    Llamacpp,
}

/// One unit of inference capacity: engine, model, replicas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Name of the pool: letters, digits, dashes and underscores.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// Kind of engine.
    #[serde(default = "Pool::default_engine")]
    pub engine: EngineKind,
    /// Name that tasks give as `model_ref`. If left out: the name of `model_file` without its folder and
    /// its ending, and `haiku-tiny` if there is no file.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub model_ref: Option<String>,
    /// GGUF file to load (embedded only). If left out, the model that is compiled in.
    #[serde(default)]
    pub model_file: Option<PathBuf>,
    /// Context of each engine in tokens, prompt and reply together (embedded only); what the model was
    /// trained with if left out, which is also the most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub ctx_size: Option<u32>,
    /// Bytes of cache that an engine keeps for a token, for quotas of cache; unknown if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub kv_bytes_per_token: Option<u64>,
    /// Engine processes to start (embedded only); 1 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 64))]
    pub replicas: Option<u32>,
    /// Threads of each engine process (embedded only); 1 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 256))]
    pub threads: Option<u32>,
    /// Throttle of each engine process, in tokens a second (embedded only).
    #[serde(default)]
    pub max_tokens_per_second: Option<f64>,
    /// The engine's program (embedded only); searched beside the daemon and in PATH if left out.
    #[serde(default)]
    pub engine_binary: Option<PathBuf>,
    /// Base URLs of running servers, one a replica (llamacpp only).
    #[serde(default)]
    pub urls: Vec<String>,
    /// What a thousand tokens cost, in millionths of the unit of money; for budgets of sessions.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000_000_u64))]
    pub price_micros_per_ktoken: u64,
    /// Milliseconds an engine has to become ready.
    #[serde(default = "Pool::default_ready_timeout_ms")]
    #[schemars(range(min = 100, max = 3_600_000))]
    pub ready_timeout_ms: u64,
    /// Restarts inside `restart_window_ms` after which the pool gives up.
    #[serde(default = "Pool::default_restarts_max")]
    #[schemars(range(min = 0, max = 1_000))]
    pub restarts_max: u32,
    /// See `restarts_max`.
    #[serde(default = "Pool::default_restart_window_ms")]
    #[schemars(range(min = 1_000, max = 86_400_000))]
    pub restart_window_ms: u64,
    /// Milliseconds an engine may take to the first token.
    #[serde(default = "Pool::default_first_token_timeout_ms")]
    #[schemars(range(min = 10, max = 3_600_000))]
    pub first_token_timeout_ms: u64,
    /// Milliseconds an engine may be silent between tokens.
    #[serde(default = "Pool::default_idle_timeout_ms")]
    #[schemars(range(min = 10, max = 3_600_000))]
    pub idle_timeout_ms: u64,
    /// Milliseconds a whole generation may take.
    #[serde(default = "Pool::default_wall_timeout_ms")]
    #[schemars(range(min = 100, max = 86_400_000))]
    pub wall_timeout_ms: u64,
}

impl Pool {
    /// The pool that exists when none is configured.
    #[must_use]
    pub fn embedded_default() -> Self {
        Self {
            id: "default".to_owned(),
            engine: Self::default_engine(),
            model_ref: None,
            model_file: None,
            ctx_size: None,
            kv_bytes_per_token: None,
            replicas: None,
            threads: None,
            max_tokens_per_second: None,
            engine_binary: None,
            urls: Vec::new(),
            price_micros_per_ktoken: 0,
            ready_timeout_ms: Self::default_ready_timeout_ms(),
            restarts_max: Self::default_restarts_max(),
            restart_window_ms: Self::default_restart_window_ms(),
            first_token_timeout_ms: Self::default_first_token_timeout_ms(),
            idle_timeout_ms: Self::default_idle_timeout_ms(),
            wall_timeout_ms: Self::default_wall_timeout_ms(),
        }
    }

    /// Name of the pool's model: as given, else drawn from the file, else that of the model which is
    /// compiled in. Empty if the file's path ends in no name.
    #[must_use]
    pub fn model_name(&self) -> Cow<'_, str> {
        match (&self.model_ref, &self.model_file) {
            (Some(name), _) => Cow::Borrowed(name),
            (None, Some(file)) => file.file_stem().unwrap_or_default().to_string_lossy(),
            (None, None) => Cow::Borrowed("haiku-tiny"),
        }
    }

    fn default_engine() -> EngineKind {
        EngineKind::Embedded
    }

    fn default_ready_timeout_ms() -> u64 {
        60_000
    }

    fn default_restarts_max() -> u32 {
        5
    }

    fn default_restart_window_ms() -> u64 {
        60_000
    }

    fn default_first_token_timeout_ms() -> u64 {
        60_000
    }

    fn default_idle_timeout_ms() -> u64 {
        30_000
    }

    fn default_wall_timeout_ms() -> u64 {
        1_800_000
    }
}
