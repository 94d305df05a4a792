//! One replica as the machine sees it, and the table of its states.
//!
//! ```text
//!   starting ──Ready──► ready ──Down──► down ──Ready──► ready
//!       └──────Down──────────────────────► down
//! ```

use std::collections::BTreeSet;

use crate::id::{AttemptId, ModelRef, PoolName, ProcessName, ReplicaName};
use crate::placement::{ReplicaFacts, ReplicaSetKey};
use crate::task::Engine;

/// Where a replica stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaState {
    /// Never ready since this machine began.
    Starting,
    /// Takes work.
    Ready,
    /// Was ready, or failed to become so.
    Down,
}

/// What can happen to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaEvent {
    /// It takes work, as before.
    Ready,
    /// It takes work, and is not what it was: another engine, version, model or profile.
    ReadyChanged,
    /// It stopped.
    Down,
}

/// What an event does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaStep {
    /// The state from now on.
    pub to: ReplicaState,
    /// Attempts on it are over.
    pub attempts_lost: bool,
}

/// The table. Every event may come in every state, any number of times.
#[must_use]
pub fn next(state: ReplicaState, event: ReplicaEvent) -> ReplicaStep {
    use ReplicaEvent as E;
    use ReplicaState as S;
    match (state, event) {
        (S::Starting | S::Ready | S::Down, E::Ready) => ReplicaStep {
            to: S::Ready,
            attempts_lost: false,
        },
        // Who comes back as another was restarted, although nobody said so.
        (S::Starting | S::Ready | S::Down, E::ReadyChanged) => ReplicaStep {
            to: S::Ready,
            attempts_lost: true,
        },
        (S::Starting | S::Ready | S::Down, E::Down) => ReplicaStep {
            to: S::Down,
            attempts_lost: true,
        },
    }
}

/// Is a replica's model in the memory of its process? The better one is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Residency {
    /// It is, or the replica has the process to itself.
    Loaded,
    /// Nothing is known to be held.
    Unknown,
    /// Another replica's is: the process would have to change its model.
    SwappedOut,
}

/// How a replica stands to the others that live in its process.
#[derive(Clone, Debug, PartialEq)]
pub struct Sharing {
    /// The process.
    pub process: ProcessName,
    /// The model that it generates with, if that is another replica's: nothing may begin on this one.
    pub blocked_by: Option<ModelRef>,
    /// Does it hold the replica's model in memory?
    pub residency: Residency,
}

/// One replica, as placement sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Replica {
    /// Its name.
    pub name: ReplicaName,
    /// Its pool.
    pub pool: PoolName,
    /// Kind of engine, as configured.
    pub engine: Engine,
    /// Model, as configured.
    pub model_ref: ModelRef,
    /// Where it stands.
    pub state: ReplicaState,
    /// What it said of itself last, if it ever did.
    pub facts: Option<ReplicaFacts>,
    /// Replica set of those facts.
    pub set: Option<ReplicaSetKey>,
    /// True while its pool is held and nothing may begin on it.
    pub paused: bool,
    /// Attempts that hold a slot, by the machine's own count.
    pub taken: BTreeSet<AttemptId>,
    /// How it stands to the other replicas of its process; `None` if it has the process to itself.
    pub sharing: Option<Box<Sharing>>,
    /// What went wrong last; empty if nothing did.
    pub last_error: String,
}

impl Replica {
    /// Generations it runs at once; 0 while it is not ready.
    #[must_use]
    pub fn slots_total(&self) -> u32 {
        match (self.state, &self.facts) {
            (ReplicaState::Ready, Some(facts)) => facts.slots,
            _ => 0,
        }
    }

    /// True if its process generates with another replica.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        let sharing = self.sharing.as_ref();
        sharing.is_some_and(|sharing| sharing.blocked_by.is_some())
    }

    /// Is its model in the memory of its process?
    #[must_use]
    pub fn residency(&self) -> Residency {
        let sharing = self.sharing.as_ref();
        sharing.map_or(Residency::Loaded, |sharing| sharing.residency)
    }

    /// True if it could run something, were no slot of its process taken.
    pub(crate) fn could_run(&self) -> bool {
        self.slots_total() > 0 && !self.paused
    }

    /// Its context window in tokens, once it has reported one.
    pub(crate) fn ctx(&self) -> Option<u32> {
        self.facts.as_ref().map(|facts| facts.ctx)
    }

    /// Slots taken.
    #[must_use]
    pub fn slots_taken(&self) -> u32 {
        u32::try_from(self.taken.len()).unwrap_or(u32::MAX)
    }

    /// Generations that it could take now; none while it is held, or another replica of its process generates.
    #[must_use]
    pub fn slots_free(&self) -> u32 {
        if self.paused || self.is_blocked() {
            return 0;
        }
        self.slots_total().saturating_sub(self.slots_taken())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_pair() {
        let mut table = String::new();
        for state in [
            ReplicaState::Starting,
            ReplicaState::Ready,
            ReplicaState::Down,
        ] {
            for event in [
                ReplicaEvent::Ready,
                ReplicaEvent::ReadyChanged,
                ReplicaEvent::Down,
            ] {
                let step = next(state, event);
                let lost = if step.attempts_lost {
                    "attempts lost"
                } else {
                    "attempts go on"
                };
                writeln!(
                    table,
                    "{:<9} {:<13} {:<6} {lost}",
                    format!("{state:?}"),
                    format!("{event:?}"),
                    format!("{:?}", step.to)
                )
                .expect("writing to a string cannot fail");
            }
        }
        insta::assert_snapshot!(table);
    }
}
