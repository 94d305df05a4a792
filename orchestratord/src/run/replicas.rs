//! The engines that can be called now, by replica.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orchestrator_core::id::ReplicaName;
use pool_managerd::Suspicion;
use worker_adapter::Adapter;

/// How to call one replica's engine.
#[derive(Clone)]
pub struct Replica {
    /// Speaks its protocol.
    pub adapter: Arc<dyn Adapter>,
    /// Longest time that a generation on it may take.
    pub wall_timeout: Duration,
}

/// The engines that can be called now, and those that watch them.
#[derive(Default)]
pub struct Replicas {
    ready: Mutex<HashMap<ReplicaName, Replica>>,
    watchers: Mutex<HashMap<ReplicaName, Suspicion>>,
}

impl Replicas {
    fn watchers(&self) -> MutexGuard<'_, HashMap<ReplicaName, Suspicion>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An engine that this daemon does not run is watched, by health checks with pauses between them.
    pub fn watched(&self, name: ReplicaName, suspicion: Suspicion) {
        self.watchers().insert(name, suspicion);
    }

    /// An engine did not do as asked: has its health checked at once, so that it takes no calls before it is
    /// back. Of an engine whose process is ours its end is known anyway, and nothing is done.
    pub fn suspect(&self, name: &ReplicaName) {
        if let Some(watcher) = self.watchers().get(name) {
            watcher.raise();
        }
    }

    fn ready(&self) -> MutexGuard<'_, HashMap<ReplicaName, Replica>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An engine takes calls.
    pub fn insert(&self, name: ReplicaName, replica: Replica) {
        self.ready().insert(name, replica);
    }

    /// An engine takes calls no more.
    pub fn remove(&self, name: &ReplicaName) {
        self.ready().remove(name);
    }

    /// How to call a replica's engine, if it takes calls.
    #[must_use]
    pub fn find(&self, name: &ReplicaName) -> Option<Replica> {
        self.ready().get(name).cloned()
    }
}
