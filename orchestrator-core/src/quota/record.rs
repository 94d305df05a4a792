//! What is remembered of quotas.

use crate::id::{KeyId, PrincipalId, TenantId};
use crate::key::Tenant;
use crate::quota::{Bucket, QuotaLimits};
use crate::time::WallMs;

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaSubject {
    /// A key and those that took its place, by the first of them.
    Key(KeyId),
    /// All keys of a tenant together.
    Tenant(TenantId),
}

/// Whose quota it is, as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaOf {
    /// A key's.
    Key(KeyId),
    /// A tenant's.
    Tenant(Tenant),
}

impl QuotaOf {
    /// Who is counted by it, if a key is the first of its line.
    #[must_use]
    pub fn subject(&self) -> QuotaSubject {
        match self {
            Self::Key(key) => QuotaSubject::Key(*key),
            Self::Tenant(tenant) => QuotaSubject::Tenant(tenant.id()),
        }
    }
}

/// The quota of a tenant or of a key, as someone has put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRecord {
    /// Whose; a key is the first of its line.
    pub of: QuotaOf,
    /// The limits.
    pub limits: QuotaLimits,
    /// Share of the tenant beside others; as configured if none. Keys have none.
    pub weight: Option<u32>,
    /// Counts the puts, from 1.
    pub revision: u64,
    /// When it was put.
    pub put_at: WallMs,
    /// Who put it.
    pub put_by: PrincipalId,
}

/// What flows back with time, of one who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLevels {
    /// Whose.
    pub subject: QuotaSubject,
    /// Requests, in units of [`UNITS_PER_REQUEST`](crate::quota::UNITS_PER_REQUEST).
    pub requests: Bucket,
    /// Tokens that ended tasks used, in units of [`UNITS_PER_TOKEN`](crate::quota::UNITS_PER_TOKEN).
    pub tokens: Bucket,
}

/// A quota to put in the place of what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaPut {
    /// Whose.
    pub of: QuotaOf,
    /// The limits from now on.
    pub limits: QuotaLimits,
    /// The tenant's share from now on; as configured if none.
    pub weight: Option<u32>,
    /// The revision that it takes the place of; 0: there is none.
    pub revision: u64,
    /// Who asks.
    pub put_by: PrincipalId,
}

/// A quota and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaView {
    /// Whose; a key is the first of its line.
    pub of: QuotaOf,
    /// What was put, if anything was; otherwise the limits are those of the configuration.
    pub put: Option<QuotaRecord>,
    /// The limits in force.
    pub limits: QuotaLimits,
    /// The tenant's share in force; 0 of a key.
    pub weight: u32,
    /// Tasks accepted and not ended.
    pub tasks_live: u64,
    /// Requests that would be taken at once now; `None` without a limit.
    pub requests_left: Option<u64>,
    /// Tokens that live tasks may use.
    pub tokens_reserved: u64,
    /// Tokens that ended tasks used and that have not flowed back, rounded up; 0 without a limit.
    pub tokens_used: u64,
    /// Bytes of cache that live tasks may fill, as far as it is known.
    pub kv_bytes_reserved: u64,
}
