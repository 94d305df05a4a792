//! Capacity, as replies show it.

use api_types as wire;
use orchestrator_core::placement::{
    PoolState, PoolView, ReplicaSetView, ReplicaView, ReplicaViewState,
};

use super::choice;
use crate::app::{Capabilities, PoolHealth};
use crate::http::system::api_version;
use crate::run::supervision::Supervised;

/// Health of a pool.
pub(in crate::http) fn pool_health(health: PoolHealth) -> wire::PoolHealth {
    let PoolHealth { view, supervised } = health;
    let PoolView {
        name,
        engine: _,
        model_ref: _,
        state,
        ctx_max: _,
        slots_total,
        slots_free,
        paused,
        kv_bytes_per_token,
        gave_up: _,
        replicas,
    } = view;
    wire::PoolHealth {
        pool: name.to_string(),
        live: state != PoolState::Unavailable,
        ready: state == PoolState::Ready,
        paused,
        state: match state {
            PoolState::Ready => wire::PoolState::Ready,
            PoolState::Starting => wire::PoolState::Starting,
            PoolState::Unavailable => wire::PoolState::Unavailable,
        },
        kv_bytes_per_token,
        slots_total,
        slots_free,
        replicas: replicas
            .into_iter()
            .map(|view| {
                let known = supervised.get(&view.name).cloned();
                replica_health(view, known.unwrap_or_default())
            })
            .collect(),
    }
}

fn replica_health(view: ReplicaView, supervised: Supervised) -> wire::ReplicaHealth {
    let Supervised {
        restarts,
        gave_up: _,
        shares,
    } = supervised;
    let ReplicaView {
        name,
        state,
        facts,
        slots_total,
        slots_free,
        last_error,
    } = view;
    let (engine_version, model_digest, ctx_max) = match facts {
        Some(facts) => (
            Some(facts.engine_version),
            Some(facts.model_digest.to_string()),
            Some(facts.ctx),
        ),
        None => (None, None, None),
    };
    wire::ReplicaHealth {
        replica: name.to_string(),
        process: shares.map(|process| process.to_string()),
        state: match state {
            ReplicaViewState::Failed => wire::ReplicaState::Failed,
            ReplicaViewState::Ready => wire::ReplicaState::Ready,
            ReplicaViewState::Starting => wire::ReplicaState::Starting,
        },
        engine_version,
        model_digest,
        ctx_max,
        restarts,
        slots_total,
        slots_free,
        last_error,
    }
}

/// The replica sets.
pub(in crate::http) fn replica_sets(views: Vec<ReplicaSetView>) -> wire::ReplicaSetList {
    wire::ReplicaSetList {
        replica_sets: views.into_iter().map(replica_set).collect(),
    }
}

fn replica_set(view: ReplicaSetView) -> wire::ReplicaSet {
    let ReplicaSetView {
        key,
        engine,
        engine_version,
        model_ref,
        model_digest,
        sampler_profile_version,
        replicas,
        slots_total,
        slots_free,
    } = view;
    let taken = slots_total.saturating_sub(slots_free);
    wire::ReplicaSet {
        id: key.0.to_string(),
        engine: choice::engine(engine),
        engine_version,
        model_ref: model_ref.to_string(),
        model_digest: model_digest.to_string(),
        sampler_profile_version,
        replicas: replicas.iter().map(ToString::to_string).collect(),
        slots_total,
        slots_free,
        load: if slots_total == 0 {
            0.0
        } else {
            f64::from(taken) / f64::from(slots_total)
        },
    }
}

/// What the deployment can do.
pub(in crate::http) fn capabilities(capabilities: Capabilities) -> wire::Capabilities {
    let Capabilities {
        pools,
        classes,
        limits,
    } = capabilities;
    wire::Capabilities {
        api_version: api_version(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        input_kinds: wire::TaskInputKind::ALL.to_vec(),
        engines: pools.into_iter().map(engine_capability).collect(),
        classes: classes
            .into_iter()
            .map(|(class, default)| wire::CapabilityClass {
                class: class.to_string(),
                default,
            })
            .collect(),
        limits: limits
            .into_iter()
            .map(|limit| wire::CapabilityLimit {
                limit_name: limit.name.into_owned(),
                value: limit.value,
                unit: limit.unit.to_owned(),
            })
            .collect(),
    }
}

fn engine_capability(view: PoolView) -> wire::EngineCapability {
    wire::EngineCapability {
        engine: choice::engine(view.engine),
        model_ref: view.model_ref.to_string(),
        pool: view.name.to_string(),
        ctx_max: view.ctx_max,
        slots_total: view.slots_total,
    }
}
