//! Pools, replicas and replica sets as readers see them.

use std::collections::BTreeMap;

use crate::id::{Digest, ModelRef, PoolName, ReplicaName};
use crate::placement::fleet::Pool;
use crate::placement::{Fleet, Replica, ReplicaFacts, ReplicaSetKey, ReplicaState};
use crate::task::Engine;

/// Where a pool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PoolState {
    /// A replica takes work.
    Ready,
    /// None does, and one may yet.
    Starting,
    /// None does, and its supervisor gave up.
    Unavailable,
}

/// Where a replica stands, as readers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaViewState {
    /// It is down, and its pool gave up.
    Failed,
    /// It takes work.
    Ready,
    /// It starts, for the first time or again.
    Starting,
}

/// One pool.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolView {
    /// Its name.
    pub name: PoolName,
    /// Kind of engine.
    pub engine: Engine,
    /// Name of the model.
    pub model_ref: ModelRef,
    /// Where it stands.
    pub state: PoolState,
    /// Largest context window in tokens, once a replica has reported one.
    pub ctx_max: Option<u32>,
    /// Generations at once over all ready replicas.
    pub slots_total: u32,
    /// Generations that could start now.
    pub slots_free: u32,
    /// Bytes of cache that its engines keep for a token, if that is known.
    pub kv_bytes_per_token: Option<u64>,
    /// True while an operator holds it: tasks are accepted, and none is dispatched.
    pub paused: bool,
    /// What its supervisor said when it gave up.
    pub gave_up: Option<String>,
    /// Its replicas, by name.
    pub replicas: Vec<ReplicaView>,
}

/// One replica.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaView {
    /// Its name.
    pub name: ReplicaName,
    /// Where it stands.
    pub state: ReplicaViewState,
    /// What it said of itself last.
    pub facts: Option<ReplicaFacts>,
    /// Generations it runs at once; 0 while it is not ready.
    pub slots_total: u32,
    /// Generations that could start now.
    pub slots_free: u32,
    /// What went wrong last, if anything did since it was ready.
    pub last_error: Option<String>,
}

/// Replicas equal in all that shapes the tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaSetView {
    /// Digest of what they have in common.
    pub key: ReplicaSetKey,
    /// Kind of engine.
    pub engine: Engine,
    /// Version that the engines report.
    pub engine_version: String,
    /// Name of the model; the first by replica name, if pools name it differently.
    pub model_ref: ModelRef,
    /// Digest of the model file.
    pub model_digest: Digest,
    /// Version of the table of sampling defaults.
    pub sampler_profile_version: String,
    /// Names of the ready replicas, sorted.
    pub replicas: Vec<ReplicaName>,
    /// Generations at once.
    pub slots_total: u32,
    /// Generations that could start now.
    pub slots_free: u32,
}

impl Fleet {
    /// Every pool, in the order of the configuration.
    #[must_use]
    pub fn pool_views(&self) -> Vec<PoolView> {
        self.pools.iter().map(|pool| self.pool_view(pool)).collect()
    }

    fn pool_view(&self, pool: &Pool) -> PoolView {
        let replicas: Vec<_> = self
            .of_pool(pool)
            .map(|replica| replica_view(pool, replica))
            .collect();
        let ready = replicas
            .iter()
            .any(|replica| replica.state == ReplicaViewState::Ready);
        let state = match (ready, &pool.gave_up) {
            (true, _) => PoolState::Ready,
            (false, None) => PoolState::Starting,
            (false, Some(_)) => PoolState::Unavailable,
        };
        PoolView {
            name: pool.name.clone(),
            engine: pool.engine,
            model_ref: pool.model_ref.clone(),
            state,
            ctx_max: pool.ctx_max,
            slots_total: replicas.iter().map(|replica| replica.slots_total).sum(),
            slots_free: replicas.iter().map(|replica| replica.slots_free).sum(),
            kv_bytes_per_token: pool.kv_bytes_per_token,
            paused: pool.paused,
            gave_up: pool.gave_up.clone(),
            replicas,
        }
    }

    /// Every replica set with a ready replica, by key.
    #[must_use]
    pub fn replica_sets(&self) -> Vec<ReplicaSetView> {
        let mut sets: BTreeMap<ReplicaSetKey, ReplicaSetView> = BTreeMap::new();
        for replica in self
            .replicas
            .iter()
            .filter(|one| one.state == ReplicaState::Ready)
        {
            let (Some(key), Some(facts)) = (replica.set, &replica.facts) else {
                continue;
            };
            let set = sets.entry(key).or_insert_with(|| ReplicaSetView {
                key,
                engine: facts.engine,
                engine_version: facts.engine_version.clone(),
                model_ref: facts.model_ref.clone(),
                model_digest: facts.model_digest,
                sampler_profile_version: facts.sampler_profile_version.clone(),
                replicas: Vec::new(),
                slots_total: 0,
                slots_free: 0,
            });
            set.replicas.push(replica.name.clone());
            set.slots_total += replica.slots_total();
            set.slots_free += replica.slots_free();
        }
        sets.into_values().collect()
    }
}

fn replica_view(pool: &Pool, replica: &Replica) -> ReplicaView {
    let state = match replica.state {
        ReplicaState::Ready => ReplicaViewState::Ready,
        ReplicaState::Starting | ReplicaState::Down if pool.gave_up.is_some() => {
            ReplicaViewState::Failed
        }
        ReplicaState::Starting | ReplicaState::Down => ReplicaViewState::Starting,
    };
    ReplicaView {
        name: replica.name.clone(),
        state,
        facts: replica.facts.clone(),
        slots_total: replica.slots_total(),
        slots_free: replica.slots_free(),
        last_error: Some(replica.last_error.clone()).filter(|error| !error.is_empty()),
    }
}
