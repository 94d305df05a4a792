//! Lanes: queued tasks grouped by what they ask for and then by flow, so that one look at each flow's head
//! finds the next task to run.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{ModelRef, TaskId};
use crate::placement::ReplicaSetKey;
use crate::queue::classes::{ClassRank, Classes};
use crate::queue::fair::{Fairness, span, tokens_in};
use crate::queue::order::{Band, Flow, OrderKey, Turn, order};
use crate::queue::tree::{Entry, Prefix, Tree};
use crate::task::Engine;
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

type Lane = BTreeMap<Flow, Tree>;

/// Where a queued task stands, to ask who is before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its flow.
    pub(crate) flow: Flow,
    /// Its place in it.
    pub(crate) turn: Turn,
}

/// The group of pools that is asked about, and what its flows have had of it.
#[derive(Clone, Copy)]
pub(crate) struct Shares<'a> {
    /// The accounts.
    pub(crate) fairness: &'a Fairness,
    /// The group, by its number.
    pub(crate) group: usize,
    /// The weight of a flow.
    pub(crate) weight: &'a dyn Fn(Flow) -> u32,
    /// The classes that flows belong to.
    pub(crate) classes: &'a Classes,
}

/// The first task of a flow in a lane, and its place in the total order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand<'a> {
    /// Its place.
    pub(crate) key: OrderKey,
    /// The lane.
    pub(crate) lane: &'a LaneKey,
    /// The flow.
    pub(crate) flow: Flow,
    /// The task.
    pub(crate) entry: Entry,
}

/// The task that is served next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Next {
    /// Which.
    pub(crate) task: TaskId,
    /// Its flow.
    pub(crate) flow: Flow,
    /// The band that it is served in.
    pub(crate) band: Band,
    /// What it is expected to cost, in tokens.
    pub(crate) cost: u32,
    /// The flows that compete for the slot in that band.
    pub(crate) waiting: BTreeSet<Flow>,
}

/// All queued tasks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lanes {
    lanes: BTreeMap<LaneKey, Lane>,
    depth: BTreeMap<ClassRank, u64>,
}

impl Lanes {
    /// Adds a task.
    pub(crate) fn insert(&mut self, key: LaneKey, flow: Flow, entry: Entry) {
        let lane = self.lanes.entry(key).or_default();
        lane.entry(flow).or_default().insert(entry);
        *self.depth.entry(flow.class).or_default() += 1;
    }

    /// Takes a task out, if it is there.
    pub(crate) fn remove(&mut self, key: &LaneKey, place: Place) {
        let Some(lane) = self.lanes.get_mut(key) else {
            return;
        };
        let Some(tree) = lane.get_mut(&place.flow) else {
            return;
        };
        if tree.remove(place.turn).is_some()
            && let Some(depth) = self.depth.get_mut(&place.flow.class)
        {
            *depth -= 1;
        }
        if tree.is_empty() {
            lane.remove(&place.flow);
        }
        if lane.is_empty() {
            self.lanes.remove(key);
        }
    }

    /// The lanes that hold tasks.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &LaneKey> {
        self.lanes.keys()
    }

    /// Tasks queued in a class.
    pub(crate) fn depth(&self, class: ClassRank) -> u64 {
        self.depth.get(&class).copied().unwrap_or(0)
    }

    /// The first task in the total order that fits the group: `room` tells the largest context window that is
    /// free there for a lane, if any is.
    pub(crate) fn next(
        &self,
        now: MonoMs,
        shares: Shares<'_>,
        room: impl Fn(&LaneKey) -> Option<u32>,
    ) -> Option<Next> {
        let mut best: Option<(OrderKey, Flow, Entry)> = None;
        let mut waiting: BTreeSet<(Band, Flow)> = BTreeSet::new();
        for (key, lane) in &self.lanes {
            let Some(ctx) = room(key) else { continue };
            for (flow, tree) in lane {
                let Some(entry) = tree.first_within(ctx) else {
                    continue;
                };
                let key = shares.order(now, *flow, entry.turn);
                waiting.insert((key.band, *flow));
                if best.as_ref().is_none_or(|(least, ..)| key < *least) {
                    best = Some((key, *flow, *entry));
                }
            }
        }
        let (key, flow, entry) = best?;
        let waiting = waiting.into_iter();
        Some(Next {
            task: entry.task,
            flow,
            band: key.band,
            cost: entry.cost,
            waiting: waiting
                .filter(|(band, _)| *band == key.band)
                .map(|(_, flow)| flow)
                .collect(),
        })
    }

    /// The first task of each flow in each lane that needs at most what `room` tells, if that is anything.
    pub(crate) fn stands<'a>(
        &'a self,
        now: MonoMs,
        shares: Shares<'_>,
        room: impl Fn(&'a LaneKey, Flow) -> Option<u32>,
    ) -> impl Iterator<Item = Stand<'a>> {
        let flows = self.lanes.iter().flat_map(|(lane, flows)| {
            let flows = flows.iter();
            flows.map(move |(flow, tree)| (lane, *flow, tree))
        });
        flows.filter_map(move |(lane, flow, tree)| {
            let entry = *tree.first_within(room(lane, flow)?)?;
            Some(Stand {
                key: shares.order(now, flow, entry.turn),
                lane,
                flow,
                entry,
            })
        })
    }

    /// When the first of those is due that are not yet.
    pub(crate) fn next_due(&self, now: MonoMs) -> Option<AgeMs> {
        let trees = self.lanes.values().flat_map(BTreeMap::values);
        trees.filter_map(|tree| tree.next_due(now)).min()
    }

    /// The first task of a lane that needs more than `ctx`, of any flow.
    pub(crate) fn first_over(&self, key: &LaneKey, ctx: u32) -> Option<TaskId> {
        let mut trees = self.lanes.get(key)?.values();
        trees.find_map(|tree| tree.first_over(ctx).map(|entry| entry.task))
    }

    /// Some task of a lane.
    pub(crate) fn any(&self, key: &LaneKey) -> Option<TaskId> {
        let mut trees = self.lanes.get(key)?.values();
        trees.find_map(|tree| tree.first_within(u32::MAX).map(|entry| entry.task))
    }

    /// Number of tasks that are served before one at `place`, in the lanes that `competes` names, if nothing
    /// else came and every task cost what is expected. Exact inside the flow and between bands; of another flow
    /// in the same band it is as many as the flow's share comes to at the average cost of its tasks.
    pub(crate) fn ahead(
        &self,
        now: MonoMs,
        place: Place,
        shares: Shares<'_>,
        competes: impl Fn(&LaneKey) -> bool,
    ) -> u64 {
        let Place { flow, turn } = place;
        let band = shares.band(now, flow, turn);
        let mut before = 0;
        let mut own = Prefix::default();
        let mut others: BTreeMap<Flow, Prefix> = BTreeMap::new();
        let lanes = self.lanes.iter().filter(|(key, _)| competes(key));
        for (other, tree) in lanes.flat_map(|(_, lane)| lane) {
            let parts = shares.parts(now, *other, tree);
            let sooner = parts.iter().filter(|(at, _)| *at < band);
            before += sooner.map(|(_, part)| u64::from(part.count)).sum::<u64>();
            let same = parts.iter().find(|(at, _)| *at == band);
            let same = same.map_or_else(Prefix::default, |(_, part)| *part);
            if *other == flow {
                let mut rank = tree.before(turn);
                if band != Band::FIRST {
                    // Those that are due stand in the first band, and have been counted there.
                    rank = rank.without(tree.due(now));
                }
                own = own.with(rank);
            } else if same.count > 0 {
                let sum = others.entry(*other).or_default();
                *sum = sum.with(same);
            }
        }
        let starts = shares.had(band, flow) + span(own.cost, (shares.weight)(flow));
        let of_others = others.iter().map(|(other, waits)| {
            let until = starts.saturating_sub(shares.had(band, *other));
            let tokens = tokens_in(until, (shares.weight)(*other)).min(u128::from(waits.cost));
            let count = (tokens * u128::from(waits.count)).div_ceil(u128::from(waits.cost.max(1)));
            u64::try_from(count).unwrap_or(u64::MAX)
        });
        before + u64::from(own.count) + of_others.sum::<u64>()
    }
}

impl Shares<'_> {
    fn had(&self, band: Band, flow: Flow) -> u128 {
        self.fairness.had(self.group, band, flow).0
    }

    fn order(&self, now: MonoMs, flow: Flow, turn: Turn) -> OrderKey {
        let class = self.classes.band(flow.class);
        let band = class.when(turn.is_due(now));
        let had = self.fairness.had(self.group, band, flow);
        order(now, class, had, turn)
    }

    fn band(&self, now: MonoMs, flow: Flow, turn: Turn) -> Band {
        self.classes.band(flow.class).when(turn.is_due(now))
    }

    /// What of a flow's tree stands in the first band, and what in that of its class, if that is another.
    fn parts(&self, now: MonoMs, flow: Flow, tree: &Tree) -> [(Band, Prefix); 2] {
        let (class, whole) = (self.classes.band(flow.class), tree.whole());
        if class == Band::FIRST {
            return [(class, whole), (class, Prefix::default())];
        }
        let due = tree.due(now);
        [(Band::FIRST, due), (class, whole.without(due))]
    }
}
