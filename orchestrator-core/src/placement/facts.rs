//! What replicas say of themselves.

use sha2::{Digest as _, Sha256};

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

impl ReplicaFacts {
    /// The replica set that it belongs to. Each part is hashed with its length before it, so that no two
    /// different lists of parts look the same.
    #[must_use]
    pub fn set_key(&self) -> ReplicaSetKey {
        let parts: [&[u8]; 4] = [
            self.engine.name().as_bytes(),
            self.engine_version.as_bytes(),
            &self.model_digest.0,
            self.sampler_profile_version.as_bytes(),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        ReplicaSetKey(Digest(hash.finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ReplicaFacts {
        ReplicaFacts {
            name: ReplicaName::new("default-0"),
            pool: PoolName::new("default"),
            engine: Engine::Embedded,
            engine_version: "1".to_owned(),
            model_ref: ModelRef::new("haiku-tiny"),
            model_digest: Digest([7; 32]),
            sampler_profile_version: "v1".to_owned(),
            ctx: 512,
            slots: 1,
        }
    }

    #[test]
    fn only_what_shapes_the_tokens_is_in_the_key() {
        let key = facts().set_key();
        let other = ReplicaFacts {
            name: ReplicaName::new("other-3"),
            pool: PoolName::new("other"),
            model_ref: ModelRef::new("alias"),
            ctx: 1024,
            slots: 4,
            ..facts()
        };
        assert_eq!(other.set_key(), key);
        let shaping = [
            ReplicaFacts {
                engine: Engine::Llamacpp,
                ..facts()
            },
            ReplicaFacts {
                engine_version: "2".to_owned(),
                ..facts()
            },
            ReplicaFacts {
                model_digest: Digest([8; 32]),
                ..facts()
            },
            ReplicaFacts {
                sampler_profile_version: "v2".to_owned(),
                ..facts()
            },
        ];
        for other in shaping {
            assert_ne!(other.set_key(), key, "{other:?}");
        }
    }

    #[test]
    fn the_key_is_the_same_on_every_build() {
        insta::assert_snapshot!(facts().set_key().0);
    }
}
