//! How much tenants may use, unless an operator puts something else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much tenants may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    /// Limits of each tenant for which nobody has put any over the API. What is put there takes the place of all of
    /// them.
    pub tenant: TenantQuota,
}

/// Limits of a tenant; one that is left out is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantQuota {
    /// Most tasks accepted and not ended.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub tasks_live_max: Option<u32>,
    /// Tasks that may be handed over in a second.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests_per_s: Option<u32>,
    /// Tasks that may be handed over at once after a rest; as many as in a second if left out. Only with
    /// `requests_per_s`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: Option<u32>,
    /// Most tokens that tasks not ended may use and ended ones have used, less what flows back: as many in a minute.
    #[schemars(range(min = 1, max = 1_000_000_000_000_u64))]
    pub tokens_per_min: Option<u64>,
    /// Most megabytes (of a million bytes) of cache that tasks not ended may fill. Only if every pool has
    /// `kv_bytes_per_token`.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub kv_mb_max: Option<u64>,
}
