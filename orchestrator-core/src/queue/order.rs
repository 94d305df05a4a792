//! The one total order.

use crate::id::{AcceptSeq, TenantId};
use crate::queue::classes::ClassRank;
use crate::time::{AgeMs, MonoMs};

/// What shares the slots of a group of pools by weight: the tasks of one tenant in one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Whose tasks.
    pub tenant: TenantId,
    /// Of which class.
    pub class: ClassRank,
}

/// Where a task stands in its flow: due sooner is served sooner, and then who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// When it is due.
    pub due: AgeMs,
    /// Its place in the order of acceptance.
    pub seq: AcceptSeq,
}

impl Turn {
    /// The turn of a task that became eligible at `since`: it is due at its deadline, or at the ageing bound if
    /// that is sooner. So no task is overtaken in its flow by one that is accepted after the bound.
    #[must_use]
    pub fn new(since: AgeMs, deadline: Option<AgeMs>, ageing_ms: u64, seq: AcceptSeq) -> Self {
        let aged = since.after(ageing_ms);
        Self {
            due: deadline.map_or(aged, |deadline| deadline.min(aged)),
            seq,
        }
    }

    /// True from the moment at which it is due.
    #[must_use]
    pub fn is_due(self, now: MonoMs) -> bool {
        self.due <= AgeMs::at(now)
    }
}

/// A band goes before those with higher numbers, whatever stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Band(pub u32);

impl Band {
    /// The band of the most urgent class, and of whatever is due.
    pub const FIRST: Self = Self(0);

    /// Where a task stands whose class has this band.
    #[must_use]
    pub fn when(self, is_due: bool) -> Self {
        if is_due { Self::FIRST } else { self }
    }
}

/// How much of a group of pools a flow has had, in tokens over its weight: less is sooner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualTime(pub u128);

/// Place of a queued task among all that compete for a group of pools: less is sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// Strict: a lower band goes before a higher one.
    pub band: Band,
    /// Inside a band the flow that has had least of the group goes first.
    pub virtual_time: VirtualTime,
    /// Inside a flow, and between flows that have had the same, the turn decides.
    pub turn: Turn,
}

/// Where a task stands among all queued tasks that compete for a group of pools, if its class has that band and its
/// flow has had so much of the group.
#[must_use]
pub fn order(now: MonoMs, band_of_class: Band, had: VirtualTime, turn: Turn) -> OrderKey {
    OrderKey {
        band: band_of_class.when(turn.is_due(now)),
        virtual_time: had,
        turn,
    }
}
