//! Pools and replicas, as the machine keeps them.

use crate::id::{AttemptId, ModelRef, PoolName, ReplicaName};
use crate::placement::process::{Group, Precedence, Process, divide};
use crate::placement::replica::{ReplicaEvent, next};
use crate::placement::{
    PoolConfig, Replica, ReplicaConfig, ReplicaFacts, ReplicaSetKey, ReplicaState,
};
use crate::queue::{LaneKey, Pauses};
use crate::task::Engine;

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
    /// By name.
    pub(super) processes: Vec<Process>,
    /// For each replica the process that it lives in.
    pub(super) process_of: Vec<usize>,
    /// In the order of the configuration.
    pub(super) groups: Vec<Group>,
    /// Slots free over all processes.
    pub(super) free: u64,
}

impl Fleet {
    /// Every replica starting, every slot free.
    #[must_use]
    pub fn new(configs: &[PoolConfig]) -> Self {
        let mut replicas: Vec<_> = configs
            .iter()
            .flat_map(|pool| {
                pool.replicas
                    .iter()
                    .map(move |replica| fresh(pool, replica))
            })
            .collect();
        replicas.sort_by(|a, b| a.name.cmp(&b.name));
        let members = |pool: &PoolConfig| {
            let of_pool =
                |(index, replica): (usize, &Replica)| (replica.pool == pool.name).then_some(index);
            replicas.iter().enumerate().filter_map(of_pool).collect()
        };
        let pools: Vec<_> = configs
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
        let (processes, groups) = divide(configs, &pools, &replicas);
        let mut process_of = vec![0; replicas.len()];
        for (place, process) in processes.iter().enumerate() {
            for member in &process.members {
                process_of[*member] = place;
            }
        }
        for process in &processes {
            process.tell(&mut replicas);
        }
        Self {
            pools,
            replicas,
            processes,
            process_of,
            groups,
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
        self.replicas.get(self.index(name)?)
    }

    /// Changes a replica, if it is configured, and keeps what others make of it: what the other replicas of its process
    /// may do, and the sums of free slots.
    fn change<T>(
        &mut self,
        name: &ReplicaName,
        change: impl FnOnce(&mut Replica, &mut Process, usize) -> T,
    ) -> Option<T> {
        let index = self.index(name)?;
        let process = self.processes.get_mut(*self.process_of.get(index)?)?;
        let before = process.slots_free(&self.replicas);
        let result = change(self.replicas.get_mut(index)?, process, index);
        process.tell(&mut self.replicas);
        let after = process.slots_free(&self.replicas);
        let group = self.groups.get_mut(process.group)?;
        group.free = group.free - before + after;
        self.free = self.free - before + after;
        Some(result)
    }

    pub(super) fn index(&self, name: &ReplicaName) -> Option<usize> {
        let found = self
            .replicas
            .binary_search_by(|replica| replica.name.cmp(name));
        found.ok()
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
        let is_another = self.replica(&name)?.set.is_some_and(|before| before != key);
        let lost = self.change(&name, |replica, process, _| {
            if is_another {
                process.stopped();
            }
            let event = if is_another {
                ReplicaEvent::ReadyChanged
            } else {
                ReplicaEvent::Ready
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
        let (pool, lost) = self.change(name, |replica, process, _| {
            process.stopped();
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
        for group in &mut self.groups {
            let processes = group.processes.iter();
            let processes = processes.filter_map(|process| self.processes.get(*process));
            group.free = processes
                .map(|process| process.slots_free(&self.replicas))
                .sum();
        }
        self.free = self.groups.iter().map(|group| group.free).sum();
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

    /// An attempt takes a slot. True if its process holds another model from now on.
    pub(crate) fn take(&mut self, name: &ReplicaName, attempt: AttemptId) -> bool {
        let changed = self.change(name, |replica, process, index| {
            replica.taken.insert(attempt);
            process.took(index)
        });
        changed.unwrap_or(false)
    }

    /// Counts what is served by the process of a replica.
    pub(crate) fn count(&mut self, name: &ReplicaName, precedence: Precedence, cost: u32) {
        let process = self
            .index(name)
            .and_then(|index| self.process_of.get(index));
        if let Some(process) = process.and_then(|place| self.processes.get_mut(*place)) {
            process.count(precedence, cost);
        }
    }

    /// An attempt holds a slot since before this machine began, on a replica that then was of this set. If
    /// the replica reports another one, the attempt is lost.
    pub(crate) fn take_again(
        &mut self,
        name: &ReplicaName,
        attempt: AttemptId,
        set: ReplicaSetKey,
    ) {
        self.take(name, attempt);
        self.change(name, |replica, _, _| replica.set = Some(set));
    }

    /// An attempt gives its slot back.
    pub(crate) fn give_back(&mut self, name: &ReplicaName, attempt: AttemptId) {
        self.change(name, |replica, _, _| replica.taken.remove(&attempt));
    }
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

fn fresh(pool: &PoolConfig, replica: &ReplicaConfig) -> Replica {
    Replica {
        name: replica.name.clone(),
        pool: pool.name.clone(),
        engine: pool.engine,
        model_ref: pool.model_ref.clone(),
        state: ReplicaState::Starting,
        facts: None,
        set: None,
        paused: false,
        taken: std::collections::BTreeSet::new(),
        sharing: None,
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
