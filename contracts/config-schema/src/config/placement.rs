//! Where tasks run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where tasks run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Placement {
    /// Of several models that take turns in one engine process, the one that is loaded may go on out of order for so
    /// many tokens, prompts and most that may be generated, before it is the turn of whoever is first. With more the
    /// model is changed less often, and who waits for another one waits longer. 0 keeps to the order.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub model_run_tokens_max: u32,
}

impl Default for Placement {
    fn default() -> Self {
        Self {
            model_run_tokens_max: 4_096,
        }
    }
}
