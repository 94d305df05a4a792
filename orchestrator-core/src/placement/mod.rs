//! Where a task runs.

use crate::id::{Digest, ModelRef, PoolName, ReplicaName};
use crate::task::Engine;

/// What a replica says of itself once it is ready.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaFacts {
    /// Its name.
    pub name: ReplicaName,
    /// Its pool.
    pub pool: PoolName,
    /// Kind of engine.
    pub engine: Engine,
    /// Version that the engine reports.
    pub engine_version: String,
    /// Model it serves, as the pool names it.
    pub model_ref: ModelRef,
    /// Digest of the model file.
    pub model_digest: Digest,
    /// Version of the table of sampling defaults it is driven with.
    pub sampler_profile_version: String,
    /// Context window in tokens.
    pub ctx: u32,
    /// Generations it runs at once.
    pub slots: u32,
}

/// SHA-256 over {engine, engine_version, model_digest, sampler_profile_version}: replicas with the same
/// key give the same tokens for the same prompt, parameters and seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaSetKey(pub Digest);
