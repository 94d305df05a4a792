//! The engines that can be called now, by replica.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orchestrator_core::id::ReplicaName;
use worker_adapter::Adapter;

/// How to call one replica's engine.
#[derive(Clone)]
pub struct Replica {
    /// Speaks its protocol.
    pub adapter: Arc<dyn Adapter>,
    /// Longest time that a generation on it may take.
    pub wall_timeout: Duration,
}

/// The engines that can be called now.
#[derive(Default)]
pub struct Replicas {
    ready: Mutex<HashMap<ReplicaName, Replica>>,
}

impl Replicas {
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
