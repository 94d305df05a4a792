//! What has become of each replica's engine since the daemon began.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orchestrator_core::id::{ProcessName, ReplicaName};

/// What has become of one replica's engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supervised {
    /// Times that it was started again.
    pub restarts: u32,
    /// Why it stays down, if it does.
    pub gave_up: Option<String>,
    /// The process that it lives in, if it shares that with other replicas.
    pub shares: Option<ProcessName>,
}

/// What has become of each replica's engine; whom nothing happened to, and who shares it with nobody, is not in it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Supervision(Arc<Mutex<HashMap<ReplicaName, Supervised>>>);

impl Supervision {
    fn replicas(&self) -> MutexGuard<'_, HashMap<ReplicaName, Supervised>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A replica shares a process with others.
    pub(super) fn shares(&self, name: &ReplicaName, process: &ProcessName) {
        self.replicas().entry(name.clone()).or_default().shares = Some(process.clone());
    }

    /// An engine was started again, so many times by now.
    pub(super) fn restarted(&self, name: &ReplicaName, restarts: u32) {
        self.replicas().entry(name.clone()).or_default().restarts = restarts;
    }

    /// An engine is not started again.
    pub(super) fn gave_up(&self, name: &ReplicaName, detail: String) {
        self.replicas().entry(name.clone()).or_default().gave_up = Some(detail);
    }

    /// True if all of these stay down.
    pub(super) fn all_gave_up(&self, names: &[ReplicaName]) -> bool {
        let replicas = self.replicas();
        names.iter().all(|name| {
            let replica = replicas.get(name);
            replica.is_some_and(|it| it.gave_up.is_some())
        })
    }

    /// How it stands now.
    #[must_use]
    pub fn snapshot(&self) -> HashMap<ReplicaName, Supervised> {
        self.replicas().clone()
    }
}
