//! Can a task still run at all? What is only a matter of time waits; what never can run is ended.

use std::collections::BTreeSet;

use crate::placement::fleet::Pool;
use crate::placement::process::Group;
use crate::placement::{Fleet, Replica, ReplicaState};
use crate::queue::LaneKey;

/// What a pool has for the tasks of a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer<'a> {
    /// Which.
    pub(crate) pool: &'a Pool,
    /// Its slots.
    pub(crate) slots: u32,
    /// The same, or one for each replica while none is ready.
    pub(crate) hoped: u32,
}

/// Why a task can never run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    /// No configured pool offers what it asks for.
    NotServed,
    /// Every pool that could serve it gave up; what one of them said last.
    PoolUnavailable(String),
    /// It needs more context than any pool has.
    ContextExceeded {
        /// Largest context window, in tokens.
        ctx_max: u32,
    },
    /// The replica set that wrote the text so far will not come back, or is not waited for.
    ReplicaSetGone,
}

impl Fleet {
    /// What stands for good in the way of a task of this lane that needs a context of `need` tokens.
    /// `None`: nothing does, as far as is known.
    pub(crate) fn doom(&self, lane: &LaneKey, need: u32) -> Option<Doom> {
        let mut serving = self.serving(lane).peekable();
        if serving.peek().is_none() {
            return Some(Doom::NotServed);
        }
        let known = ctx_max(self.serving(lane));
        if let Some(ctx_max) = known.filter(|max| *max < need) {
            return Some(Doom::ContextExceeded { ctx_max });
        }
        let usable = || self.serving(lane).filter(|pool| pool.usable());
        let reachable =
            usable().next().is_some() && ctx_max(usable()).is_none_or(|max| max >= need);
        if !reachable {
            let last = self.serving(lane).find_map(|pool| pool.gave_up.clone());
            return Some(Doom::PoolUnavailable(last.unwrap_or_default()));
        }
        if lane.pinned.is_some() {
            let back = usable().any(|pool| self.may_bring(pool, lane));
            if !back || self.set_ctx_max(lane).is_some_and(|max| max < need) {
                return Some(Doom::ReplicaSetGone);
            }
        }
        None
    }

    /// The largest need that no pool which can still serve the lane is too small for; `None`: no bound is
    /// known.
    pub(crate) fn need_max(&self, lane: &LaneKey) -> Option<u32> {
        let pools = ctx_max(self.serving(lane).filter(|pool| pool.usable()));
        pools.into_iter().chain(self.set_ctx_max(lane)).min()
    }

    /// Largest context of the replicas that are of the lane's replica set; `None` if it has none, or one may still
    /// start that is.
    fn set_ctx_max(&self, lane: &LaneKey) -> Option<u32> {
        let pinned = lane.pinned.as_ref()?;
        let mut max = None;
        for pool in self.serving(lane).filter(|pool| pool.usable()) {
            for replica in self.of_pool(pool) {
                match replica.state {
                    ReplicaState::Ready if replica.set.as_ref() == Some(pinned) => {
                        max = max.max(replica.facts.as_ref().map(|facts| facts.ctx));
                    }
                    ReplicaState::Starting | ReplicaState::Down if awaited(pool, replica, lane) => {
                        return None;
                    }
                    ReplicaState::Ready | ReplicaState::Starting | ReplicaState::Down => {}
                }
            }
        }
        max
    }

    /// Do tasks of both lanes compete for the same slots?
    pub(crate) fn compete(&self, one: &LaneKey, other: &LaneKey) -> bool {
        self.groups
            .iter()
            .any(|group| self.has_serving(group, one) && self.has_serving(group, other))
    }

    /// The group of the first pool that can serve a lane; the first of all if none can.
    pub(crate) fn first_serving(&self, lane: &LaneKey) -> usize {
        let usable = |pool: &Pool| serves(pool, lane) && pool.usable();
        let first = self.pools.iter().position(usable).unwrap_or(0);
        let group = |group: &Group| group.pools.contains(&first);
        self.groups.iter().position(group).unwrap_or(0)
    }

    /// The groups that can serve a lane, each by its number.
    pub(crate) fn groups_serving<'a>(
        &'a self,
        lane: &'a LaneKey,
    ) -> impl Iterator<Item = usize> + 'a {
        let groups = self.groups.iter().enumerate();
        groups.filter_map(|(place, group)| self.has_serving(group, lane).then_some(place))
    }

    fn has_serving(&self, group: &Group, lane: &LaneKey) -> bool {
        let mut pools = group.pools.iter().filter_map(|pool| self.pools.get(*pool));
        pools.any(|pool| serves(pool, lane))
    }

    /// The pools configured to serve a lane, each with its slots. Where two of them share a process, its slots are
    /// counted once, with the first.
    pub(crate) fn offers<'a>(&'a self, lane: &'a LaneKey) -> impl Iterator<Item = Offer<'a>> {
        self.groups.iter().flat_map(move |group| {
            let pools = group.pools.iter().filter_map(|pool| self.pools.get(*pool));
            let mut counted = BTreeSet::new();
            pools.filter(|pool| serves(pool, lane)).map(move |pool| {
                if group.is_shared() {
                    self.offer_of_uncounted(pool, &mut counted)
                } else {
                    pool.offer(pool.slots, pool.members.len())
                }
            })
        })
    }

    fn offer_of_uncounted<'a>(
        &'a self,
        pool: &'a Pool,
        counted: &mut BTreeSet<Option<&'a usize>>,
    ) -> Offer<'a> {
        let mut members = pool.members.clone();
        members.retain(|member| counted.insert(self.process_of.get(*member)));
        let replicas = members
            .iter()
            .filter_map(|member| self.replicas.get(*member));
        pool.offer(replicas.map(Replica::slots_total).sum(), members.len())
    }

    /// The pools configured to serve a lane.
    pub(crate) fn serving<'a>(&'a self, lane: &'a LaneKey) -> impl Iterator<Item = &'a Pool> {
        self.pools.iter().filter(|pool| serves(pool, lane))
    }

    /// The replicas of a pool, by name.
    pub(crate) fn of_pool<'a>(&'a self, pool: &'a Pool) -> impl Iterator<Item = &'a Replica> {
        pool.members
            .iter()
            .filter_map(|index| self.replicas.get(*index))
    }

    /// Does a pool hold the lane's replica set, or may it come to hold it when a replica starts?
    fn may_bring(&self, pool: &Pool, lane: &LaneKey) -> bool {
        self.of_pool(pool).any(|replica| match replica.state {
            ReplicaState::Ready => replica.set == lane.pinned,
            ReplicaState::Starting | ReplicaState::Down => awaited(pool, replica, lane),
        })
    }
}

impl Pool {
    /// A pool that gave up may still have a replica at work.
    fn usable(&self) -> bool {
        self.gave_up.is_none() || self.ready > 0
    }

    /// It offers so many slots; while none of it is ready, one is hoped for of each of so many replicas.
    fn offer(&self, slots: u32, replicas: usize) -> Offer<'_> {
        let hoped = if self.slots > 0 {
            slots
        } else {
            u32::try_from(replicas).unwrap_or(u32::MAX)
        };
        Offer {
            pool: self,
            slots,
            hoped,
        }
    }
}

/// Is a replica that is not ready waited for, because it may come to be of the lane's set? Where another set may
/// begin anew, one that is known to be down is not.
fn awaited(pool: &Pool, replica: &Replica, lane: &LaneKey) -> bool {
    pool.gave_up.is_none() && !(lane.renounces && replica.state == ReplicaState::Down)
}

/// Largest context of some pools; `None` if there are none or one has not reported any yet.
fn ctx_max<'a>(pools: impl Iterator<Item = &'a Pool>) -> Option<u32> {
    let mut max = None;
    for pool in pools {
        max = max.max(Some(pool.ctx_max?));
    }
    max
}

fn serves(pool: &Pool, lane: &LaneKey) -> bool {
    lane.engine.is_none_or(|engine| engine == pool.engine)
        && lane
            .model_ref
            .as_ref()
            .is_none_or(|model| *model == pool.model_ref)
}
