//! Pools: units of inference capacity.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// its ending, and `haiku-tiny` if there is no file. The servers of a llamacpp pool are asked for the model
    /// of this name, which those with only one model do not look at.
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
    /// Another embedded pool in whose engine processes this one's model lives too (embedded only). A process
    /// has one model in memory at a time, and the pools take turns: memory for one, at the price of a load
    /// whenever the model changes. `replicas`, `threads`, `max_tokens_per_second`, `engine_binary`, and what
    /// is said of restarts, are that pool's.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    pub shares_engines_with: Option<String>,
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
    /// Base URLs of running servers, one a replica (llamacpp only). Pools that name the same server share it:
    /// it has one of their models in memory at a time, and each needs a `model_ref`, which is the name that
    /// the server knows the model by.
    #[serde(default)]
    pub urls: Vec<String>,
    /// What a thousand tokens cost, in millionths of the unit of money; for budgets of sessions.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000_000_u64))]
    pub price_micros_per_ktoken: u64,
    /// Milliseconds an engine has to become ready, and to change to this model where pools share it.
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
    /// Milliseconds an engine may take to the first token, once its model is there.
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
            shares_engines_with: None,
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

    /// The pool whose processes this one's replicas live in: itself, or the one that it shares engines with.
    #[must_use]
    pub fn engines_of(&self) -> &str {
        self.shares_engines_with.as_deref().unwrap_or(&self.id)
    }

    /// The server that each of the urls names, as two urls of the same one are alike.
    pub fn servers(&self) -> impl Iterator<Item = String> {
        self.urls.iter().map(|url| server_of(url))
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

/// A URL without what makes no difference to where it leads: the case of scheme and host, a name and a password
/// before the host, slashes at the end.
fn server_of(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}").to_ascii_lowercase() + path
}

#[cfg(test)]
mod tests {
    use super::server_of;

    #[test]
    fn urls_of_one_server_are_alike() {
        for (url, server) in [
            ("http://127.0.0.1:80", "http://127.0.0.1:80"),
            ("HTTP://Host:80//", "http://host:80"),
            ("http://Host/A/b/", "http://host/A/b"),
            ("http://me:secret@host/a", "http://host/a"),
            ("host:80", "://host:80"),
        ] {
            assert_eq!(server_of(url), server);
        }
    }
}
