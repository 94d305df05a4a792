//! Pools and replicas, as the machine keeps them.

use crate::id::{AttemptId, ModelRef, PoolName, ReplicaName};
use crate::placement::replica::{ReplicaEvent, next};
use crate::placement::{Replica, ReplicaFacts, ReplicaSetKey, ReplicaState};
use crate::queue::{LaneKey, Pauses};
use crate::task::Engine;

/// One pool, from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Its name, unique.
    pub name: PoolName,
    /// Kind of engine that its replicas run.
    pub engine: Engine,
    /// Name of the model that its replicas serve.
    pub model_ref: ModelRef,
    /// Bytes of cache that its engines keep for a token, if that is known.
    pub kv_bytes_per_token: Option<u64>,
    /// Its replicas, each name unique in the deployment.
    pub replicas: Vec<ReplicaName>,
}

/// One pool as it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pool {
    pub(crate) name: PoolName,
    pub(crate) engine: Engine,
    pub(crate) model_ref: ModelRef,
    /// Bytes of cache for a token, if that is known.
    pub(super) kv_bytes_per_token: Option<u64>,
    /// True while it is held.
    pub(super) paused: bool,
    /// What its supervisor said when it gave up.
    pub(crate) gave_up: Option<String>,
    /// Its replicas, as indices into the fleet's.
    pub(super) members: Vec<usize>,
    /// Replicas that are ready.
    pub(crate) ready: u32,
    /// Generations at once over them.
    pub(crate) slots: u32,
    /// Largest context window that a replica has reported.
    pub(super) ctx_max: Option<u32>,
}

/// All pools and replicas. Soft: rebuilt from the configuration and from what replicas report.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    pub(super) pools: Vec<Pool>,
    /// By name.
    pub(super) replicas: Vec<Replica>,
    /// Slots free over all of them.
    free: u64,
}

impl Fleet {
    /// Every replica starting, every slot free.
    #[must_use]
    pub fn new(pools: &[PoolConfig]) -> Self {
        let mut replicas: Vec<_> = pools
            .iter()
            .flat_map(|pool| pool.replicas.iter().map(move |name| fresh(pool, name)))
            .collect();
        replicas.sort_by(|a, b| a.name.cmp(&b.name));
        let members = |pool: &PoolConfig| {
            let of_pool =
                |(index, replica): (usize, &Replica)| (replica.pool == pool.name).then_some(index);
            replicas.iter().enumerate().filter_map(of_pool).collect()
        };
        let pools = pools
            .iter()
            .map(|pool| Pool {
                name: pool.name.clone(),
                engine: pool.engine,
                model_ref: pool.model_ref.clone(),
                kv_bytes_per_token: pool.kv_bytes_per_token,
                paused: false,
                gave_up: None,
                members: members(pool),
                ready: 0,
                slots: 0,
                ctx_max: None,
            })
            .collect();
        Self {
            pools,
            replicas,
            free: 0,
        }
    }

    /// The snapshot that placement plans on, by name.
    #[must_use]
    pub fn replicas(&self) -> &[Replica] {
        &self.replicas
    }

    /// A replica, if it is configured.
    #[must_use]
    pub fn replica(&self, name: &ReplicaName) -> Option<&Replica> {
        let index = self
            .replicas
            .binary_search_by(|replica| replica.name.cmp(name))
            .ok()?;
        self.replicas.get(index)
    }

    /// Changes a replica, if it is configured, and keeps the sum of free slots.
    fn change<T>(
        &mut self,
        name: &ReplicaName,
        change: impl FnOnce(&mut Replica) -> T,
    ) -> Option<T> {
        let index = self
            .replicas
            .binary_search_by(|replica| replica.name.cmp(name))
            .ok()?;
        let replica = self.replicas.get_mut(index)?;
        let before = u64::from(replica.slots_free());
        let result = change(replica);
        self.free = self.free - before + u64::from(replica.slots_free());
        Some(result)
    }

    /// Models that are served, each with its engine, sorted, each pair once.
    #[must_use]
    pub fn served(&self) -> Vec<(ModelRef, Engine)> {
        let mut served: Vec<_> = self
            .pools
            .iter()
            .map(|pool| (pool.model_ref.clone(), pool.engine))
            .collect();
        served.sort();
        served.dedup();
        served
    }

    /// A replica takes work. Attempts that were on it and are lost, or `None` if the report does not agree
    /// with the configuration (the replica is unknown, or serves something else than its pool).
    pub(crate) fn ready(&mut self, facts: ReplicaFacts) -> Option<Vec<AttemptId>> {
        let replica = self.replica(&facts.name)?;
        let agrees = replica.pool == facts.pool
            && replica.engine == facts.engine
            && replica.model_ref == facts.model_ref;
        if !agrees {
            return None;
        }
        let (name, pool) = (facts.name.clone(), facts.pool.clone());
        let key = facts.set_key();
        let lost = self.change(&name, |replica| {
            let event = match replica.set {
                Some(before) if before != key => ReplicaEvent::ReadyChanged,
                _ => ReplicaEvent::Ready,
            };
            let step = next(replica.state, event);
            replica.state = step.to;
            replica.set = Some(key);
            replica.facts = Some(facts);
            replica.last_error.clear();
            lost(replica, step.attempts_lost)
        })?;
        if let Some(pool) = self.pools.iter_mut().find(|other| other.name == pool) {
            pool.gave_up = None;
            pool.refresh(&self.replicas);
        }
        Some(lost)
    }

    /// A replica stopped. Attempts that were on it, or `None` if it is not configured.
    pub(crate) fn down(&mut self, name: &ReplicaName, detail: String) -> Option<Vec<AttemptId>> {
        let (pool, lost) = self.change(name, |replica| {
            let step = next(replica.state, ReplicaEvent::Down);
            replica.state = step.to;
            replica.last_error = detail;
            (replica.pool.clone(), lost(replica, step.attempts_lost))
        })?;
        if let Some(pool) = self.pools.iter_mut().find(|other| other.name == pool) {
            pool.refresh(&self.replicas);
        }
        Some(lost)
    }

    /// A pool's supervisor gave up. False if there is no such pool.
    pub(crate) fn give_up(&mut self, name: &PoolName, detail: String) -> bool {
        let Some(pool) = self.pools.iter_mut().find(|pool| pool.name == *name) else {
            return false;
        };
        pool.gave_up = Some(detail);
        true
    }

    /// Holds the pools that are to be held, and lets the others go on.
    pub(crate) fn hold(&mut self, pauses: &Pauses) {
        for pool in &mut self.pools {
            pool.paused = pauses.hold(&pool.name);
        }
        for replica in &mut self.replicas {
            replica.paused = pauses.hold(&replica.pool);
        }
        self.free = self
            .replicas
            .iter()
            .map(|replica| u64::from(replica.slots_free()))
            .sum();
    }

    /// The names of the pools, in the order of the configuration.
    pub(crate) fn pool_names(&self) -> impl Iterator<Item = &PoolName> {
        self.pools.iter().map(|pool| &pool.name)
    }

    /// The most bytes of cache for a token, among the pools that serve a lane; `None` if one of them does not tell.
    pub(crate) fn kv_bytes_per_token(&self, lane: &LaneKey) -> Option<u64> {
        let told: Option<Vec<u64>> = self
            .serving(lane)
            .map(|pool| pool.kv_bytes_per_token)
            .collect();
        told.map(|told| told.into_iter().max().unwrap_or(0))
    }

    /// The pools that do not tell how much cache a token takes, sorted.
    pub(crate) fn kv_unknown(&self) -> Vec<PoolName> {
        let silent = |pool: &&Pool| pool.kv_bytes_per_token.is_none();
        let mut names: Vec<_> = self
            .pools
            .iter()
            .filter(silent)
            .map(|pool| pool.name.clone())
            .collect();
        names.sort();
        names
    }

    /// An attempt takes a slot.
    pub(crate) fn take(&mut self, name: &ReplicaName, attempt: AttemptId) {
        self.change(name, |replica| replica.taken.insert(attempt));
    }

    /// An attempt holds a slot since before this machine began, on a replica that then was of this set. If
    /// the replica reports another one, the attempt is lost.
    pub(crate) fn take_again(
        &mut self,
        name: &ReplicaName,
        attempt: AttemptId,
        set: ReplicaSetKey,
    ) {
        self.change(name, |replica| {
            replica.taken.insert(attempt);
            replica.set = Some(set);
        });
    }

    /// An attempt gives its slot back.
    pub(crate) fn give_back(&mut self, name: &ReplicaName, attempt: AttemptId) {
        self.change(name, |replica| replica.taken.remove(&attempt));
    }

    /// The largest context window of a replica that has a slot free and serves a lane.
    pub(crate) fn room(&self, lane: &LaneKey) -> Option<u32> {
        if !self.has_room() {
            return None;
        }
        largest_free(self.replicas.iter(), lane)
    }

    /// The same, of the replicas of one pool, by its place in the configuration.
    pub(crate) fn room_in(&self, pool: usize, lane: &LaneKey) -> Option<u32> {
        largest_free(self.members(pool), lane)
    }

    /// The replicas of a pool, by its place in the configuration.
    pub(crate) fn members(&self, pool: usize) -> impl Iterator<Item = &Replica> {
        let members = self.pools.get(pool).map(|pool| pool.members.iter());
        members
            .into_iter()
            .flatten()
            .filter_map(|index| self.replicas.get(*index))
    }

    /// Is a replica one of this pool, by its place in the configuration?
    pub(crate) fn is_of(&self, replica: &Replica, pool: usize) -> bool {
        let of = self.pools.get(pool);
        of.is_some_and(|pool| pool.name == replica.pool)
    }

    /// The pools with a slot free, by their places in the configuration.
    pub(crate) fn pools_with_room(&self) -> impl Iterator<Item = usize> {
        (0..self.pools.len())
            .filter(|pool| self.members(*pool).any(|replica| replica.slots_free() > 0))
    }

    /// True if any replica has a slot free.
    pub(crate) fn has_room(&self) -> bool {
        self.free > 0
    }
}

/// The largest context window of those that have a slot free and serve a lane.
fn largest_free<'a>(replicas: impl Iterator<Item = &'a Replica>, lane: &LaneKey) -> Option<u32> {
    replicas
        .filter(|replica| replica.state == ReplicaState::Ready)
        .filter(|replica| lane.engine.is_none_or(|engine| engine == replica.engine))
        .filter(|replica| {
            lane.model_ref
                .as_ref()
                .is_none_or(|model| *model == replica.model_ref)
        })
        .filter(|replica| lane.pinned.is_none() || lane.pinned == replica.set)
        .filter(|replica| replica.slots_free() > 0)
        .filter_map(|replica| replica.facts.as_ref().map(|facts| facts.ctx))
        .max()
}

impl Pool {
    /// Sums its replicas up again.
    fn refresh(&mut self, replicas: &[Replica]) {
        let members = || self.members.iter().filter_map(|index| replicas.get(*index));
        let ready = members()
            .filter(|replica| replica.state == ReplicaState::Ready)
            .count();
        let slots = members().map(Replica::slots_total).sum();
        let facts = members().filter_map(|replica| replica.facts.as_ref());
        self.ctx_max = facts.map(|facts| facts.ctx).max();
        self.ready = u32::try_from(ready).unwrap_or(u32::MAX);
        self.slots = slots;
    }
}

fn fresh(pool: &PoolConfig, name: &ReplicaName) -> Replica {
    Replica {
        name: name.clone(),
        pool: pool.name.clone(),
        engine: pool.engine,
        model_ref: pool.model_ref.clone(),
        state: ReplicaState::Starting,
        facts: None,
        set: None,
        paused: false,
        taken: std::collections::BTreeSet::new(),
        last_error: String::new(),
    }
}

fn lost(replica: &Replica, all: bool) -> Vec<AttemptId> {
    if all {
        replica.taken.iter().copied().collect()
    } else {
        Vec::new()
    }
}
