//! How things stand, for readers that ask about the whole.

use orchestrator_core::id::Epoch;
use orchestrator_core::key::Keys;
use orchestrator_core::machine::{Counters, Machine};
use orchestrator_core::placement::{PoolView, ReplicaSetView};
use orchestrator_core::queue::ClassName;

/// A snapshot of the machine and its owner, taken after each batch and shown once that is durable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveView {
    /// The owner's term.
    pub epoch: Epoch,
    /// Number of the last durable commit.
    pub commit_seq: u64,
    /// True if there is a machine that takes commands.
    pub serving: bool,
    /// What is wrong with the store at the moment, if anything is.
    pub store_trouble: Option<String>,
    /// Every key there ever was: who is let in.
    pub keys: Keys,
    /// Tasks that have not ended.
    pub live_tasks: usize,
    /// Tasks queued in each class that there is, the most urgent first.
    pub queued: Vec<(ClassName, u64)>,
    /// Pools with their replicas, in the order of the configuration.
    pub pools: Vec<PoolView>,
    /// Replica sets with a ready replica.
    pub replica_sets: Vec<ReplicaSetView>,
    /// What the machine saw and did not act on, in this term.
    pub counters: Counters,
}

impl LiveView {
    /// Tasks queued in a class.
    #[must_use]
    pub fn queue_depth(&self, priority: ClassName) -> u64 {
        let mut queued = self.queued.iter();
        queued
            .find(|(class, _)| *class == priority)
            .map_or(0, |(_, depth)| *depth)
    }

    /// Of a machine that serves, with its store in order.
    pub(super) fn of(machine: &Machine, epoch: Epoch, commit_seq: u64) -> Self {
        Self {
            epoch,
            commit_seq,
            serving: true,
            store_trouble: None,
            keys: machine.keys().clone(),
            live_tasks: machine.live_count(),
            queued: machine
                .classes()
                .known()
                .into_iter()
                .filter_map(|class| Some((class, machine.queue_depth(class)?)))
                .collect(),
            pools: machine.pools(),
            replica_sets: machine.replica_sets(),
            counters: machine.counters(),
        }
    }
}
