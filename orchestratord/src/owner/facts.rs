//! What replicas and pools reported last, so that a machine recovered in this process need not wait for
//! them to report again.

use std::collections::BTreeMap;

use orchestrator_core::id::{PoolName, ReplicaName};
use orchestrator_core::input::Report;

#[derive(Debug, Default)]
pub(super) struct FleetFacts {
    replicas: BTreeMap<ReplicaName, Report>,
    pools: BTreeMap<PoolName, Report>,
}

impl FleetFacts {
    /// Remembers a report if it is about a replica or a pool.
    pub(super) fn remember(&mut self, report: &Report) {
        match report {
            Report::ReplicaReady { facts } => {
                // A pool that has a replica again has not given up.
                self.pools.remove(&facts.pool);
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

    /// All of them.
    pub(super) fn reports(&self) -> impl Iterator<Item = Report> {
        self.replicas.values().chain(self.pools.values()).cloned()
    }
}
