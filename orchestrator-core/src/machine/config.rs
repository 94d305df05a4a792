//! What the operator decides.

use std::collections::BTreeMap;

use crate::attempt::RetryLimits;
use crate::id::{PoolName, TenantId};
use crate::placement::{Policy, PoolConfig};
use crate::queue::ClassConfig;
use crate::quota::QuotaLimits;

/// Everything that the machine does not decide by itself. Durations in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineConfig {
    /// Pools and their replicas.
    pub pools: Vec<PoolConfig>,
    /// The classes, the most urgent first, with names of their own and bands that never fall.
    pub classes: Vec<ClassConfig>,
    /// Wait after which a task is due, whatever its class.
    pub ageing_ms: u64,
    /// Most tasks that wait for the time that they were accepted for.
    pub scheduled_max: u32,
    /// Limits of each tenant for which nobody has put any.
    pub tenant_limits: QuotaLimits,
    /// Share of each tenant beside others in a band, unless somebody puts another; 1 for who is not named.
    pub tenant_weights: BTreeMap<TenantId, u32>,
    /// Least probability, in thousandths, with which a deadline must be met by what is measured, for a task to be
    /// accepted.
    pub deadline_confidence_permille: u32,
    /// What a thousand tokens of a pool cost, in millionths of the unit of money; nothing where it is not named.
    pub prices: BTreeMap<PoolName, u64>,
    /// How placement chooses.
    pub policy: Policy,
    /// Time to live of an attempt's lease.
    pub lease_ttl_ms: u64,
    /// Limits and pauses of retries.
    pub retry: RetryLimits,
    /// Life of a session after a task of it was last accepted or ended.
    pub session_ttl_ms: u64,
    /// Tasks that a session takes.
    pub session_turns_max: u32,
    /// How long an idempotency key is known again.
    pub idempotency_retention_ms: u64,
    /// Idempotency keys kept at most, at least 1 (0 counts as 1); beyond, the oldest is forgotten early.
    pub idempotency_keys_max: u32,
    /// How long a cancel waits for the attempt's own end.
    pub cancel_confirm_ms: u64,
    /// How long a task that is to end with its readers outlives the last one.
    pub disconnect_grace_ms: u64,
    /// How long an attempt holds its slot, until that has been measured.
    pub service_guess_ms: u64,
    /// Do runners outlive the owner, so that a new one attaches to their attempts? No for the in-process
    /// runner: attempts of an earlier epoch are then over.
    pub attachable: bool,
}

impl MachineConfig {
    /// The documented defaults, for these pools.
    #[must_use]
    pub fn for_pools(pools: Vec<PoolConfig>) -> Self {
        Self {
            pools,
            classes: vec![ClassConfig::interactive(), ClassConfig::batch()],
            ageing_ms: 5 * 60_000,
            scheduled_max: 10_000,
            tenant_limits: QuotaLimits::default(),
            tenant_weights: BTreeMap::new(),
            deadline_confidence_permille: 950,
            prices: BTreeMap::new(),
            policy: Policy::default(),
            lease_ttl_ms: 30_000,
            retry: RetryLimits {
                failures: 3,
                interruptions: 10,
                backoff_base_ms: 200,
                backoff_cap_ms: 30_000,
            },
            session_ttl_ms: 10 * 60_000,
            session_turns_max: 8,
            idempotency_retention_ms: 24 * 60 * 60_000,
            idempotency_keys_max: 1_000_000,
            cancel_confirm_ms: 5_000,
            disconnect_grace_ms: 5_000,
            service_guess_ms: 5_000,
            attachable: false,
        }
    }
}
