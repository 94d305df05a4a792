//! Pools and their replicas, as the operator declares them.

use crate::id::{ModelRef, PoolName, ProcessName, ReplicaName};
use crate::task::Engine;

/// One pool, from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Its name, unique.
    pub name: PoolName,
    /// Kind of engine that its replicas run.
    pub engine: Engine,
    /// Name of the model that its replicas serve.
    pub model_ref: ModelRef,
    /// Bytes of cache that its engines keep for a token, if that is known.
    pub kv_bytes_per_token: Option<u64>,
    /// Its replicas.
    pub replicas: Vec<ReplicaConfig>,
}

/// One replica, from the configuration: one model in one engine process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaConfig {
    /// Its name, unique in the deployment.
    pub name: ReplicaName,
    /// The process that it lives in. Replicas of one process take turns: it holds one model at a time.
    pub process: ProcessName,
}

impl ReplicaConfig {
    /// A replica with a process to itself, which has its name.
    #[must_use]
    pub fn alone(name: ReplicaName) -> Self {
        let process = ProcessName::new(name.as_str());
        Self { name, process }
    }
}
