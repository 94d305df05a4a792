//! What may be limited.

/// Bytes of a megabyte of cache.
pub(super) const BYTES_PER_MB: u64 = 1_000_000;

/// The limits by name: what a refusal says was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaLimit {
    /// Megabytes of cache that live tasks may fill.
    KvMbMax,
    /// Tasks accepted in a second.
    RequestsPerS,
    /// Tasks accepted and not ended.
    TasksLiveMax,
    /// Tokens in a minute.
    TokensPerMin,
}

impl QuotaLimit {
    /// Every limit, sorted.
    pub const ALL: [Self; 4] = [
        Self::KvMbMax,
        Self::RequestsPerS,
        Self::TasksLiveMax,
        Self::TokensPerMin,
    ];

    /// Its name on the wire, in metrics and in what people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KvMbMax => "kv_mb_max",
            Self::RequestsPerS => "requests_per_s",
            Self::TasksLiveMax => "tasks_live_max",
            Self::TokensPerMin => "tokens_per_min",
        }
    }
}

/// How fast tasks may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestRate {
    /// Tasks a second; at least 1 (0 counts as 1).
    pub per_s: u32,
    /// Tasks that may come at once after a rest; at least 1 (0 counts as 1).
    pub burst: u32,
}

/// Limits of a tenant or of a key; a missing one is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct QuotaLimits {
    /// Most tasks accepted and not ended.
    pub tasks_live_max: Option<u32>,
    /// How fast tasks may come.
    pub requests: Option<RequestRate>,
    /// Most tokens that live tasks may use and ended ones have used, less what flows back: this many in a minute.
    pub tokens_per_min: Option<u64>,
    /// Most megabytes (of a million bytes) of cache that live tasks may fill.
    pub kv_mb_max: Option<u64>,
}

impl QuotaLimits {
    /// True if nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
