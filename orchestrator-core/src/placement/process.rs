//! Engine processes that replicas share, and the groups of pools that come of it.
//!
//! A process holds one model in memory at a time, so it generates with one of its replicas at a time. Pools that share
//! a process, be it through others, compete for the same slots: they are one group, with one order. A pool that
//! shares with nobody is a group of its own.

use std::collections::BTreeMap;

use crate::id::ProcessName;
use crate::placement::fleet::Pool;
use crate::placement::{PoolConfig, Replica, Residency, Sharing};

/// One engine process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Process {
    pub(crate) name: ProcessName,
    /// Its replicas, as indices into the fleet's.
    pub(crate) members: Vec<usize>,
    /// Its group.
    pub(super) group: usize,
    /// The one whose model it holds, as far as is known: it took a slot last. Soft.
    pub(super) holds: Option<usize>,
    /// What was served here out of order since who was first in the order was, in tokens. Soft.
    pub(crate) passed_tokens: u64,
}

/// Pools that compete for the same slots.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Group {
    /// Its pools, by their places in the configuration.
    pub(super) pools: Vec<usize>,
    /// Its replicas, as indices into the fleet's.
    pub(super) members: Vec<usize>,
    /// Its processes.
    pub(crate) processes: Vec<usize>,
    /// Slots free over its processes.
    pub(super) free: u64,
}

/// How a task that gets a slot stands to those before it in the order who could have had its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precedence {
    /// There are none.
    First,
    /// There are, and another process is kept for each of them.
    Beside,
    /// There are, and it goes before them because its model is loaded.
    Passing,
}

impl Process {
    /// True if several replicas share it.
    pub(crate) fn is_shared(&self) -> bool {
        self.members.len() > 1
    }

    /// Generations that could begin now: of the replicas only one may have them.
    pub(crate) fn slots_free(&self, replicas: &[Replica]) -> u64 {
        let free = self.replicas(replicas).map(Replica::slots_free);
        free.max().map_or(0, u64::from)
    }

    /// Attempts that hold a slot of it.
    pub(crate) fn slots_taken(&self, replicas: &[Replica]) -> u32 {
        self.replicas(replicas).map(Replica::slots_taken).sum()
    }

    /// An attempt took a slot of a replica. True if its model is another one than was held before.
    pub(super) fn took(&mut self, replica: usize) -> bool {
        let changed = self.is_shared() && self.holds.is_some_and(|held| held != replica);
        self.holds = Some(replica);
        changed
    }

    /// A replica of it stopped: what is in memory is not known any more.
    pub(super) fn stopped(&mut self) {
        self.holds = None;
    }

    /// Counts what is served here.
    pub(super) fn count(&mut self, precedence: Precedence, cost: u32) {
        match precedence {
            Precedence::First => self.passed_tokens = 0,
            Precedence::Beside => {}
            Precedence::Passing => self.passed_tokens += u64::from(cost),
        }
    }

    /// Tells each replica what the others do.
    pub(super) fn tell(&self, replicas: &mut [Replica]) {
        if !self.is_shared() {
            return;
        }
        let at_work = |index: &usize| {
            let replica = replicas.get(*index)?;
            (!replica.taken.is_empty()).then(|| (*index, replica.model_ref.clone()))
        };
        let at_work: Vec<_> = self.members.iter().filter_map(at_work).collect();
        for index in &self.members {
            let mut others = at_work.iter().filter(|(other, _)| other != index);
            if let Some(replica) = replicas.get_mut(*index) {
                replica.sharing = Some(Box::new(Sharing {
                    process: self.name.clone(),
                    blocked_by: others.next().map(|(_, model)| model.clone()),
                    residency: match self.holds {
                        None => Residency::Unknown,
                        Some(held) if held == *index => Residency::Loaded,
                        Some(_) => Residency::SwappedOut,
                    },
                }));
            }
        }
    }

    fn replicas<'a>(&'a self, replicas: &'a [Replica]) -> impl Iterator<Item = &'a Replica> {
        self.members.iter().filter_map(|index| replicas.get(*index))
    }
}

impl Group {
    /// True if pools of it share a process.
    pub(crate) fn is_shared(&self) -> bool {
        self.pools.len() > 1
    }
}

/// The processes of some replicas, by name, and the groups of their pools, in the order of the configuration.
pub(super) fn divide(
    configs: &[PoolConfig],
    pools: &[Pool],
    replicas: &[Replica],
) -> (Vec<Process>, Vec<Group>) {
    let configured = configs.iter().flat_map(|pool| &pool.replicas);
    let process_of: BTreeMap<_, _> = configured
        .map(|replica| (&replica.name, &replica.process))
        .collect();
    let mut by_name: BTreeMap<&ProcessName, Vec<usize>> = BTreeMap::new();
    for (index, replica) in replicas.iter().enumerate() {
        if let Some(process) = process_of.get(&replica.name) {
            by_name.entry(process).or_default().push(index);
        }
    }
    let mut pool_of = vec![0; replicas.len()];
    for (pool, members) in pools.iter().map(|pool| &pool.members).enumerate() {
        for member in members {
            pool_of[*member] = pool;
        }
    }
    // Each pool is called by the first one that it is together with.
    let mut first: Vec<usize> = (0..pools.len()).collect();
    for members in by_name.values().filter(|members| members.len() > 1) {
        let calls: Vec<_> = members
            .iter()
            .map(|member| first[pool_of[*member]])
            .collect();
        let least = calls.iter().copied().min().unwrap_or(0);
        for call in &mut first {
            if calls.contains(call) {
                *call = least;
            }
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (pool, call) in first.iter().enumerate() {
        let group = groups.entry(*call).or_default();
        group.pools.push(pool);
        group.members.extend(&pools[pool].members);
    }
    let place: BTreeMap<usize, usize> = groups.keys().copied().zip(0..).collect();
    let mut groups: Vec<Group> = groups.into_values().collect();
    for group in &mut groups {
        group.members.sort_unstable();
    }
    let mut processes = Vec::with_capacity(by_name.len());
    for (name, members) in by_name {
        let group = members
            .first()
            .map_or(0, |member| place[&first[pool_of[*member]]]);
        groups[group].processes.push(processes.len());
        processes.push(Process {
            name: name.clone(),
            members,
            group,
            holds: None,
            passed_tokens: 0,
        });
    }
    (processes, groups)
}
