//! What becomes of tasks that were turned away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tasks that were turned away. They are kept in memory for a while, for who asks why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Refusals {
    /// Most that are kept; the oldest goes for a new one. 0 keeps none.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub kept_max: u32,
    /// Milliseconds after which one is forgotten.
    #[schemars(range(min = 1_000, max = 2_592_000_000_u64))]
    pub kept_ms: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            kept_max: 1_000,
            kept_ms: 86_400_000,
        }
    }
}
