//! The one total order.

use crate::id::{AcceptSeq, TenantId};
use crate::task::Priority;
use crate::time::{AgeMs, MonoMs};

/// What shares a pool by weight: the tasks of one tenant in one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Whose tasks.
    pub tenant: TenantId,
    /// Of which class.
    pub priority: Priority,
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

/// A band goes before the next one, whatever stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// Interactive tasks, and whatever is due.
    First,
    /// Batch tasks that are not due yet.
    Second,
}

impl Band {
    /// Every band.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];

    /// Where a task of a class stands.
    #[must_use]
    pub fn of(priority: Priority, is_due: bool) -> Self {
        match priority {
            Priority::Interactive => Self::First,
            Priority::Batch if is_due => Self::First,
            Priority::Batch => Self::Second,
        }
    }
}

/// How much of a pool a flow has had, in tokens over its weight: less is sooner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualTime(pub u128);

/// Place of a queued task among all that compete for a pool: less is sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// Strict: the first band goes before the second.
    pub band: Band,
    /// Inside a band the flow that has had least of the pool goes first.
    pub virtual_time: VirtualTime,
    /// Inside a flow, and between flows that have had the same, the turn decides.
    pub turn: Turn,
}

/// Where a task stands among all queued tasks that compete for a pool, if its flow has had so much of it.
#[must_use]
pub fn order(now: MonoMs, priority: Priority, had: VirtualTime, turn: Turn) -> OrderKey {
    OrderKey {
        band: Band::of(priority, turn.is_due(now)),
        virtual_time: had,
        turn,
    }
}
