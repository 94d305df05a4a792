//! What supervisors tell the owner of replicas and pools.

use orchestrator_core::id::Digest;
use orchestrator_core::input::Report;
use orchestrator_core::placement::ReplicaFacts;
use sha2::{Digest as _, Sha256};

use super::host::{Host, Told};
use crate::agenda::MILLI;
use crate::plan::ReplicaSetup;
use crate::plant::Plant;
use crate::world::World;
use crate::world::event::DaemonEvent;

/// What a replica says of itself.
pub(crate) fn facts(setup: &ReplicaSetup, version: u32) -> ReplicaFacts {
    let model = format!("{:?}/{}", setup.engine, setup.model);
    ReplicaFacts {
        name: setup.name.clone(),
        pool: setup.pool.clone(),
        engine: setup.engine,
        engine_version: version.to_string(),
        model_ref: setup.model.clone(),
        model_digest: Digest(Sha256::digest(model.as_bytes()).into()),
        sampler_profile_version: "v1".to_owned(),
        ctx: setup.ctx,
        slots: setup.slots,
    }
}

impl World {
    /// A process has begun: its supervisors look at every replica.
    pub(crate) fn supervise(&mut self, host: &mut Host) {
        for replica in 0..self.engines.len() {
            let after = self.chance.net.within((1, 300)) * MILLI;
            self.send_host(host, after, DaemonEvent::Health { replica });
        }
        for pool in 0..self.plan.setup.pools().len() {
            if self.gave_up(pool) {
                self.send_host(host, 500 * MILLI, DaemonEvent::PoolGaveUp { pool });
            }
        }
    }

    /// Every daemon's supervisors will notice that something happened to a replica.
    pub(crate) fn notice_replica(&mut self, replica: usize) {
        for daemon in 0..self.daemons.len() {
            let after = self.chance.net.within((5, 800)) * MILLI;
            let life = self.daemons[daemon].life;
            self.send_daemon(
                daemon,
                life,
                self.now + after,
                DaemonEvent::Health { replica },
            );
        }
    }

    /// Somebody looks how a replica is, and tells the owner if that is news.
    pub(crate) fn health(&mut self, host: &mut Host, replica: usize) {
        let cut = self.daemons[host.daemon].engines_cut.contains(&replica);
        let engine = &self.engines[replica];
        let standing = if engine.up && !cut {
            Told::Ready(engine.version)
        } else {
            Told::Down
        };
        if host.told.get(&replica) == Some(&standing) {
            return;
        }
        host.told.insert(replica, standing);
        let setup = engine.setup.clone();
        let report = match standing {
            Told::Ready(version) => {
                let mut facts = facts(&setup, version);
                if self.plant == Some(Plant::SlotsOverstated) {
                    facts.slots += 1;
                }
                Report::ReplicaReady {
                    facts: Box::new(facts),
                }
            }
            Told::Down => Report::ReplicaDown {
                replica: setup.name.clone(),
                detail: "it does not answer".to_owned(),
            },
        };
        let what = if standing == Told::Down {
            "down"
        } else {
            "ready"
        };
        self.say(format!(
            "daemon {}: replica {} is {what}",
            crate::plan::letter(host.daemon),
            setup.name
        ));
        host.report(report, None);
        self.pump(host);
    }

    /// A pool's supervisor has used up its restarts.
    pub(crate) fn pool_gave_up(&mut self, host: &mut Host, pool: usize) {
        if !self.gave_up(pool) {
            return;
        }
        let name = self.plan.setup.pools()[pool].name.clone();
        self.say(format!(
            "daemon {}: pool {name} gives up",
            crate::plan::letter(host.daemon)
        ));
        let report = Report::PoolUnavailable {
            pool: name,
            detail: "it was restarted too often".to_owned(),
        };
        host.report(report, None);
        self.pump(host);
    }
}
