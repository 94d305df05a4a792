//! How long idempotency keys are known again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long idempotency keys are known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Idempotency {
    /// Milliseconds for which a repeat under the same key gets the first answer again.
    #[schemars(range(min = 1_000, max = 1_209_600_000))]
    pub retention_ms: u64,
    /// Most keys that are kept, about 100 bytes of memory each. Beyond them the oldest is forgotten early.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub keys_max: u32,
}

impl Default for Idempotency {
    fn default() -> Self {
        Self {
            retention_ms: 86_400_000,
            keys_max: 1_000_000,
        }
    }
}
