//! When an attempt is tried again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When an attempt is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Attempts that engines may fail before the task fails.
    #[schemars(range(min = 1, max = 100))]
    pub failures_max: u32,
    /// Attempts that may be lost with their owner before the task is parked.
    #[schemars(range(min = 1, max = 1_000))]
    pub interruptions_max: u32,
    /// First pause before another attempt, in milliseconds; it doubles each time, with full jitter.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub backoff_base_ms: u64,
    /// Longest pause, in milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub backoff_cap_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            failures_max: 3,
            interruptions_max: 10,
            backoff_base_ms: 200,
            backoff_cap_ms: 30_000,
        }
    }
}
