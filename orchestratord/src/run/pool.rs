//! What the configuration of a pool comes to: names for the machine, commands for the supervisor.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config_schema::{EngineKind, Pool};
use llamacpp_http::{LlamacppAdapter, Timeouts};
use orchestrator_core::id::{ModelRef, PoolName, ReplicaName};
use orchestrator_core::placement::{PoolConfig, ReplicaConfig};
use orchestrator_core::task::Engine;
use pool_managerd::{
    AdapterFactory, Backoff, EngineSpec, LocateError, Policy, RestartBudget, locate_engine,
};
use worker_adapter::Adapter;

use crate::keys::SERVER_KEY_VARIABLE;

/// Time for a connection to an engine of this host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Kind of engine, in the machine's words.
#[must_use]
pub fn engine_of(pool: &Pool) -> Engine {
    match pool.engine {
        EngineKind::Embedded => Engine::Embedded,
        EngineKind::Llamacpp => Engine::Llamacpp,
    }
}

/// Names of a pool's replicas: the pool's name and a number from 0.
pub(super) fn replica_names(pool: &Pool) -> Vec<ReplicaName> {
    let count = match pool.engine {
        EngineKind::Embedded => pool.replicas.unwrap_or(1) as usize,
        EngineKind::Llamacpp => pool.urls.len(),
    };
    (0..count)
        .map(|index| ReplicaName::new(format!("{}-{index}", pool.id)))
        .collect()
}

/// A pool as the machine is configured with it.
#[must_use]
pub fn pool_config(pool: &Pool) -> PoolConfig {
    PoolConfig {
        name: PoolName::new(pool.id.as_str()),
        engine: engine_of(pool),
        model_ref: ModelRef::new(pool.model_name().as_ref()),
        kv_bytes_per_token: pool.kv_bytes_per_token,
        replicas: replica_names(pool)
            .into_iter()
            .map(ReplicaConfig::alone)
            .collect(),
    }
}

/// How to run one replica of an embedded pool.
pub(super) fn engine_spec(
    pool: &Pool,
    name: &ReplicaName,
    open_files_max: u64,
) -> Result<EngineSpec, LocateError> {
    let command: PathBuf = locate_engine(pool.engine_binary.as_deref())?;
    let mut args: Vec<OsString> = ["--exit-on-stdin-eof", "--alias"]
        .map(OsString::from)
        .to_vec();
    args.push(OsString::from(pool.model_name().as_ref()));
    if let Some(file) = &pool.model_file {
        args.extend([OsString::from("--model"), file.clone().into_os_string()]);
    }
    if let Some(tokens) = pool.ctx_size {
        args.extend([OsString::from("--ctx-size"), tokens.to_string().into()]);
    }
    args.extend([
        OsString::from("--threads"),
        pool.threads.unwrap_or(1).to_string().into(),
    ]);
    if let Some(rate) = pool.max_tokens_per_second {
        args.extend([
            OsString::from("--max-tokens-per-second"),
            rate.to_string().into(),
        ]);
    }
    let policy = Policy {
        ready_timeout: Duration::from_millis(pool.ready_timeout_ms),
        backoff: Backoff {
            first: Duration::from_millis(200),
            most: Duration::from_secs(10),
        },
        budget: RestartBudget {
            restarts: pool.restarts_max,
            window: Duration::from_millis(pool.restart_window_ms),
            stable_after: Duration::from_millis(pool.restart_window_ms),
        },
        ..Policy::default()
    };
    Ok(EngineSpec {
        args,
        open_files_max: Some(open_files_max),
        policy,
        env_kept: vec![SERVER_KEY_VARIABLE.into()],
        ..EngineSpec::new(name.as_str(), command)
    })
}

/// Makes adapters with a pool's time-outs.
pub(super) fn adapter_factory(pool: &Pool) -> AdapterFactory {
    let timeouts = Timeouts {
        connect: CONNECT_TIMEOUT,
        first_token: Duration::from_millis(pool.first_token_timeout_ms),
        idle: Duration::from_millis(pool.idle_timeout_ms),
        total: Duration::from_millis(pool.wall_timeout_ms),
        ..Timeouts::default()
    };
    Arc::new(move |url: &str| {
        let adapter = LlamacppAdapter::new(url, timeouts)?;
        Ok(Arc::new(adapter) as Arc<dyn Adapter>)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pool_says_of_its_engines_becomes_their_flags() {
        let own = std::env::current_exe().expect("a program that runs has a path");
        let pool = Pool {
            model_file: Some(PathBuf::from("/models/a.gguf")),
            ctx_size: Some(4_096),
            threads: Some(3),
            engine_binary: Some(own),
            ..Pool::embedded_default()
        };
        let spec = engine_spec(&pool, &ReplicaName::new("default-0"), 64).expect("it is there");
        let args: Vec<_> = spec.args.iter().map(|arg| arg.to_string_lossy()).collect();
        assert_eq!(
            args.join(" "),
            "--exit-on-stdin-eof --alias a --model /models/a.gguf --ctx-size 4096 --threads 3"
        );
    }

    #[test]
    fn replicas_are_named_after_their_pool() {
        let pool = Pool {
            replicas: Some(2),
            ..Pool::embedded_default()
        };
        let names: Vec<String> = pool_config(&pool)
            .replicas
            .iter()
            .map(|replica| replica.name.to_string())
            .collect();
        assert_eq!(names, ["default-0", "default-1"]);
    }
}
