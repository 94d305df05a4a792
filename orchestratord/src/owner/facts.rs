//! What replicas and pools reported last, so that a machine recovered in this process need not wait for
//! them to report again.

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::id::{PoolName, ReplicaName};
use orchestrator_core::input::Report;

#[derive(Debug, Default)]
pub(super) struct FleetFacts {
    replicas: BTreeMap<ReplicaName, Report>,
    pools: BTreeMap<PoolName, Report>,
    /// Those that the present machine has not been told.
    replicas_untold: BTreeSet<ReplicaName>,
    pools_untold: BTreeSet<PoolName>,
}

impl FleetFacts {
    /// Remembers a report if it is about a replica or a pool.
    pub(super) fn remember(&mut self, report: &Report) {
        match report {
            Report::ReplicaReady { facts } => {
                // A pool that has a replica again has not given up.
                self.pools.remove(&facts.pool);
                self.pools_untold.remove(&facts.pool);
                self.replicas.insert(facts.name.clone(), report.clone());
            }
            Report::ReplicaDown { replica, .. } => {
                self.replicas.insert(replica.clone(), report.clone());
            }
            Report::PoolUnavailable { pool, .. } => {
                self.pools.insert(pool.clone(), report.clone());
            }
            Report::AttemptChunk { .. }
            | Report::AttemptEnded { .. }
            | Report::AttemptRenewed { .. }
            | Report::AttemptRunning { .. }
            | Report::ReadersChanged { .. } => {}
        }
    }

    /// A machine begins that has been told nothing.
    pub(super) fn forget_told(&mut self) {
        self.replicas_untold = self.replicas.keys().cloned().collect();
        self.pools_untold = self.pools.keys().cloned().collect();
    }

    /// True if the machine lacks one.
    pub(super) fn is_untold(&self) -> bool {
        !self.replicas_untold.is_empty() || !self.pools_untold.is_empty()
    }

    /// The next one that the machine lacks, as it was reported last; from now on it counts as told.
    pub(super) fn tell(&mut self) -> Option<Report> {
        if let Some(replica) = self.replicas_untold.pop_first() {
            return self.replicas.get(&replica).cloned();
        }
        let pool = self.pools_untold.pop_first()?;
        self.pools.get(&pool).cloned()
    }
}
