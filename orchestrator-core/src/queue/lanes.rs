//! Lanes: queued tasks grouped by what they ask for, so that one look at each lane's head finds the next
//! task to run.

use std::collections::BTreeMap;

use crate::id::{AcceptSeq, ModelRef, TaskId};
use crate::placement::ReplicaSetKey;
use crate::queue::order::{OrderKey, order};
use crate::queue::tree::{Entry, Tree};
use crate::task::{Engine, Priority};
use crate::time::{AgeMs, MonoMs};

/// What the tasks of a lane have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// Model asked for.
    pub model_ref: Option<ModelRef>,
    /// Engine asked for.
    pub engine: Option<Engine>,
    /// Replica set that must continue the text.
    pub pinned: Option<ReplicaSetKey>,
    /// True if none of the text is durable: where that set does not come back, another one may begin anew.
    pub renounces: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Lane {
    interactive: Tree,
    batch: Tree,
}

impl Lane {
    fn class(&self, priority: Priority) -> &Tree {
        match priority {
            Priority::Interactive => &self.interactive,
            Priority::Batch => &self.batch,
        }
    }
}

/// Where a queued task stands, to ask who is before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its class.
    pub(crate) priority: Priority,
    /// Its place in the order of acceptance.
    pub(crate) seq: AcceptSeq,
    /// When it was accepted.
    pub(crate) since: AgeMs,
}

/// All queued tasks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lanes {
    lanes: BTreeMap<LaneKey, Lane>,
    ageing_ms: u64,
}

impl Lanes {
    /// An empty queue in which batch tasks count as interactive after `ageing_ms`.
    pub(crate) fn new(ageing_ms: u64) -> Self {
        Self {
            lanes: BTreeMap::new(),
            ageing_ms,
        }
    }

    /// Adds a task.
    pub(crate) fn insert(&mut self, key: LaneKey, priority: Priority, entry: Entry) {
        let lane = self.lanes.entry(key).or_default();
        match priority {
            Priority::Interactive => lane.interactive.insert(entry),
            Priority::Batch => lane.batch.insert(entry),
        }
    }

    /// Takes a task out, if it is there.
    pub(crate) fn remove(&mut self, key: &LaneKey, priority: Priority, seq: AcceptSeq) {
        let Some(lane) = self.lanes.get_mut(key) else {
            return;
        };
        match priority {
            Priority::Interactive => lane.interactive.remove(seq),
            Priority::Batch => lane.batch.remove(seq),
        };
        if lane.interactive.is_empty() && lane.batch.is_empty() {
            self.lanes.remove(key);
        }
    }

    /// The lanes that hold tasks.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &LaneKey> {
        self.lanes.keys()
    }

    /// Tasks queued in a class.
    pub(crate) fn depth(&self, priority: Priority) -> u64 {
        self.lanes
            .values()
            .map(|lane| u64::from(lane.class(priority).len()))
            .sum()
    }

    /// The first task in the total order that fits: `room` tells the largest context window that is free for
    /// a lane, if any is.
    pub(crate) fn next(
        &self,
        now: MonoMs,
        room: impl Fn(&LaneKey) -> Option<u32>,
    ) -> Option<TaskId> {
        self.lanes
            .iter()
            .filter_map(|(key, lane)| Some((lane, room(key)?)))
            .flat_map(|(lane, ctx)| {
                [Priority::Interactive, Priority::Batch]
                    .into_iter()
                    .filter_map(move |priority| {
                        lane.class(priority)
                            .first_within(ctx)
                            .map(|entry| (priority, entry))
                    })
            })
            .min_by_key(|(priority, entry)| self.order_of(now, *priority, entry.seq, entry.since))
            .map(|(_, entry)| entry.task)
    }

    /// The first task of a lane that needs more than `ctx`, of either class.
    pub(crate) fn first_over(&self, key: &LaneKey, ctx: u32) -> Option<TaskId> {
        let lane = self.lanes.get(key)?;
        let found = lane
            .interactive
            .first_over(ctx)
            .or_else(|| lane.batch.first_over(ctx))?;
        Some(found.task)
    }

    /// Some task of a lane, the lane's first of its first class.
    pub(crate) fn any(&self, key: &LaneKey) -> Option<TaskId> {
        let lane = self.lanes.get(key)?;
        let found = lane
            .interactive
            .first_within(u32::MAX)
            .or_else(|| lane.batch.first_within(u32::MAX))?;
        Some(found.task)
    }

    /// Number of tasks before `place` in the total order, in the lanes that `competes` names.
    pub(crate) fn ahead(
        &self,
        now: MonoMs,
        place: Place,
        competes: impl Fn(&LaneKey) -> bool,
    ) -> u64 {
        let own = self.order_of(now, place.priority, place.seq, place.since);
        self.lanes
            .iter()
            .filter(|(key, _)| competes(key))
            .map(|(_, lane)| u64::from(self.ahead_in(lane, now, own, place.seq)))
            .sum()
    }

    fn ahead_in(&self, lane: &Lane, now: MonoMs, own: OrderKey, seq: AcceptSeq) -> u32 {
        if own.in_first_band() {
            // Aged tasks are a prefix of their class, because age falls as the sequence rises.
            let aged = |entry: &Entry| entry.seq < seq && self.aged(now, entry.since);
            lane.interactive.rank(seq) + lane.batch.count_while(aged)
        } else {
            lane.interactive.len() + lane.batch.rank(seq)
        }
    }

    fn order_of(&self, now: MonoMs, priority: Priority, seq: AcceptSeq, since: AgeMs) -> OrderKey {
        order(priority, self.aged(now, since), seq)
    }

    fn aged(&self, now: MonoMs, since: AgeMs) -> bool {
        since.elapsed(now) >= self.ageing_ms
    }
}
