//! What the configuration of a pool comes to: names for the machine, commands for the supervisor.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config_schema::{EngineKind, Pool};
use llamacpp_http::{LlamacppAdapter, Timeouts};
use orchestrator_core::id::{ModelRef, PoolName, ReplicaName};
use orchestrator_core::placement::PoolConfig;
use orchestrator_core::task::Engine;
use pool_managerd::{
    AdapterFactory, Backoff, EngineSpec, LocateError, Policy, ReplicaSpec, RestartBudget,
    locate_engine,
};
use worker_adapter::Adapter;

use super::process::{EngineProcess, engine_processes, replicas_of};
use crate::keys::SERVER_KEY_VARIABLE;

/// Time for a connection to an engine of this host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the embedded engine calls the model that is compiled in, where it has several.
const COMPILED_IN: &str = "embedded:haiku-tiny";

/// Kind of engine, in the machine's words.
#[must_use]
pub fn engine_of(pool: &Pool) -> Engine {
    match pool.engine {
        EngineKind::Embedded => Engine::Embedded,
        EngineKind::Llamacpp => Engine::Llamacpp,
    }
}

/// The pools as the machine is configured with them.
#[must_use]
pub fn pool_configs(pools: &[Pool]) -> Vec<PoolConfig> {
    let processes = engine_processes(pools);
    let config = |pool: &Pool| PoolConfig {
        name: PoolName::new(pool.id.as_str()),
        engine: engine_of(pool),
        model_ref: ModelRef::new(pool.model_name().as_ref()),
        kv_bytes_per_token: pool.kv_bytes_per_token,
        replicas: replicas_of(pool, &processes),
    };
    pools.iter().map(config).collect()
}

/// How to run a process of embedded pools. None if it has no replica.
pub(super) fn engine_spec(
    process: &EngineProcess<'_>,
    open_files_max: u64,
) -> Result<Option<EngineSpec>, LocateError> {
    let Some((_, owner)) = process.replicas.first() else {
        return Ok(None);
    };
    let command: PathBuf = locate_engine(owner.engine_binary.as_deref())?;
    let mut args = vec![OsString::from("--exit-on-stdin-eof")];
    for (_, pool) in &process.replicas {
        args.extend(model_args(pool, process.is_shared()));
    }
    args.extend([
        OsString::from("--threads"),
        owner.threads.unwrap_or(1).to_string().into(),
    ]);
    if let Some(rate) = owner.max_tokens_per_second {
        args.extend([
            OsString::from("--max-tokens-per-second"),
            rate.to_string().into(),
        ]);
    }
    // Each model has its own time, one after another.
    let ready_timeout_ms = process
        .replicas
        .iter()
        .map(|(_, pool)| pool.ready_timeout_ms);
    let policy = Policy {
        ready_timeout: Duration::from_millis(ready_timeout_ms.sum()),
        backoff: Backoff {
            first: Duration::from_millis(200),
            most: Duration::from_secs(10),
        },
        budget: RestartBudget {
            restarts: owner.restarts_max,
            window: Duration::from_millis(owner.restart_window_ms),
            stable_after: Duration::from_millis(owner.restart_window_ms),
        },
        ..Policy::default()
    };
    Ok(Some(EngineSpec {
        args,
        open_files_max: Some(open_files_max),
        policy,
        env_kept: vec![SERVER_KEY_VARIABLE.into()],
        ..EngineSpec::new(process.name.as_str(), command)
    }))
}

/// The flags for one model: of several, each has them all.
fn model_args(pool: &Pool, is_one_of_several: bool) -> Vec<OsString> {
    let mut args = vec![
        OsString::from("--alias"),
        OsString::from(pool.model_name().as_ref()),
    ];
    match &pool.model_file {
        Some(file) => args.extend([OsString::from("--model"), file.clone().into_os_string()]),
        None if is_one_of_several => args.extend(["--model", COMPILED_IN].map(OsString::from)),
        None => {}
    }
    match pool.ctx_size {
        Some(tokens) => args.extend([OsString::from("--ctx-size"), tokens.to_string().into()]),
        None if is_one_of_several => args.extend(["--ctx-size", "0"].map(OsString::from)),
        None => {}
    }
    args
}

/// How to speak to the replicas of a process.
pub(super) fn replica_specs(process: &EngineProcess<'_>) -> Vec<ReplicaSpec> {
    let spec = |(name, pool): &(ReplicaName, &Pool)| {
        ReplicaSpec::new(name.as_str(), adapter_factory(pool, process.is_shared()))
    };
    process.replicas.iter().map(spec).collect()
}

/// Makes adapters with a pool's time-outs. The model is named to a process that has several, and to servers that
/// somebody else runs if the pool says what it is called there: they may have others too.
fn adapter_factory(pool: &Pool, is_one_of_several: bool) -> AdapterFactory {
    // A process with one model has brought it in before it is proven.
    let load_ms = if is_one_of_several {
        pool.ready_timeout_ms
    } else {
        0
    };
    let timeouts = Timeouts {
        connect: CONNECT_TIMEOUT,
        load: Duration::from_millis(load_ms),
        first_token: Duration::from_millis(pool.first_token_timeout_ms),
        idle: Duration::from_millis(pool.idle_timeout_ms),
        total: Duration::from_millis(pool.wall_timeout_ms),
        ..Timeouts::default()
    };
    let model = match pool.engine {
        EngineKind::Embedded => is_one_of_several.then(|| pool.model_name().into_owned()),
        EngineKind::Llamacpp => pool.model_ref.clone(),
    };
    Arc::new(move |url: &str| {
        let adapter = LlamacppAdapter::new(url, timeouts)?;
        let adapter = match &model {
            Some(model) => adapter.of_model(model),
            None => adapter,
        };
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
        let args = |pools: &[Pool]| {
            let processes = engine_processes(pools);
            let spec = engine_spec(&processes[0], 64).expect("it is there");
            let spec = spec.expect("there is a replica");
            let args: Vec<_> = spec.args.iter().map(|arg| arg.to_string_lossy()).collect();
            (args.join(" "), spec.policy.ready_timeout)
        };
        assert_eq!(
            args(std::slice::from_ref(&pool)),
            (
                "--exit-on-stdin-eof --alias a --model /models/a.gguf --ctx-size 4096 --threads 3"
                    .to_owned(),
                Duration::from_secs(60)
            )
        );
        let sharing = Pool {
            id: "sharing".to_owned(),
            shares_engines_with: Some(pool.id.clone()),
            ready_timeout_ms: 5_000,
            ..Pool::embedded_default()
        };
        assert_eq!(
            args(&[pool, sharing]),
            (
                "--exit-on-stdin-eof --alias a --model /models/a.gguf --ctx-size 4096 --alias haiku-tiny --model embedded:haiku-tiny --ctx-size 0 --threads 3"
                    .to_owned(),
                Duration::from_secs(65)
            )
        );
    }
}
