//! Quotas and held queues.

use api_types as wire;
use orchestrator_core::id::KeyId;
use orchestrator_core::key::Tenant;
use orchestrator_core::queue::{Class, ClassConfig, PauseRecord};
use orchestrator_core::quota::{QuotaLimits, QuotaOf, QuotaView};

use super::choice;
use crate::app::{ListedQuotas, NewQuota, QueueState, QuotaName};

/// Bytes of a megabyte of cache.
const BYTES_PER_MB: u64 = 1_000_000;

/// Whose quota a path means; `None` if the id is none of that kind.
pub(in crate::http) fn quota_name(kind: wire::QuotaKindChoice, id: &str) -> Option<QuotaName> {
    match kind {
        wire::QuotaKindChoice::Key => {
            let digits = u64::from_str_radix(id, 16).ok().map(KeyId);
            digits
                .filter(|key| key.to_string() == id)
                .map(QuotaName::Key)
        }
        wire::QuotaKindChoice::Tenant => Tenant::named(id).map(QuotaName::Tenant),
    }
}

/// The quota that a request asks for.
pub(in crate::http) fn new_quota(request: wire::QuotaPutRequest) -> NewQuota {
    let wire::QuotaPutRequest {
        revision,
        tasks_live_max,
        requests_per_s,
        burst,
        tokens_per_min,
        kv_mb_max,
        weight,
    } = request;
    NewQuota {
        revision,
        tasks_live_max,
        requests_per_s,
        burst,
        tokens_per_min,
        kv_mb_max,
        weight,
    }
}

/// A page of quotas.
pub(in crate::http) fn quota_page(listed: ListedQuotas) -> wire::QuotaPage {
    let ListedQuotas { quotas, next } = listed;
    wire::QuotaPage {
        quotas: quotas.into_iter().map(quota).collect(),
        next_cursor: next,
    }
}

/// A quota and what is used of it.
pub(in crate::http) fn quota(view: QuotaView) -> wire::Quota {
    let QuotaView {
        of,
        put,
        limits,
        weight,
        tasks_live,
        requests_left,
        tokens_reserved,
        tokens_used,
        kv_bytes_reserved,
    } = view;
    let QuotaLimits {
        tasks_live_max,
        requests,
        tokens_per_min,
        kv_mb_max,
    } = limits;
    let (kind, id, weight) = match of {
        QuotaOf::Key(key) => (wire::QuotaKind::Key, key.to_string(), None),
        QuotaOf::Tenant(tenant) => (
            wire::QuotaKind::Tenant,
            tenant.name().to_owned(),
            Some(weight),
        ),
    };
    let put_by = put.as_ref().and_then(|put| put.put_by.key());
    wire::Quota {
        kind,
        id,
        revision: put.as_ref().map_or(0, |put| put.revision),
        tasks_live_max,
        requests_per_s: requests.map(|rate| rate.per_s),
        burst: requests.map(|rate| rate.burst),
        tokens_per_min,
        kv_mb_max,
        weight,
        used: wire::QuotaUse {
            tasks_live,
            requests_left,
            tokens_reserved,
            tokens_used,
            kv_mb_reserved: kv_mb_max.map(|_| kv_bytes_reserved.div_ceil(BYTES_PER_MB)),
        },
        put_at_ms: put.map(|put| put.put_at.0),
        put_by: put_by.map(|key| key.to_string()),
    }
}

/// How queues stand.
pub(in crate::http) fn queue(state: QueueState) -> wire::Queue {
    let QueueState {
        classes,
        pools,
        switches,
    } = state;
    wire::Queue {
        classes: classes
            .into_iter()
            .map(|(class, queued)| queue_class(class, queued))
            .collect(),
        pools: pools
            .into_iter()
            .map(|(pool, paused)| wire::QueuePool {
                pool: pool.to_string(),
                paused,
            })
            .collect(),
        switches: switches.into_iter().map(queue_switch).collect(),
    }
}

fn queue_class(class: Class, queued: u64) -> wire::QueueClass {
    let Class {
        config:
            ClassConfig {
                name,
                capacity,
                full,
                weight,
                band,
            },
        band: _,
        configured,
    } = class;
    wire::QueueClass {
        class: name.to_string(),
        configured,
        band,
        weight,
        capacity: configured.then_some(capacity),
        full_policy: configured.then(|| choice::full_policy(full)),
        queued,
    }
}

/// How a queue was switched.
pub(in crate::http) fn queue_switch(row: PauseRecord) -> wire::QueueSwitch {
    let PauseRecord {
        pool,
        paused,
        at,
        by,
    } = row;
    wire::QueueSwitch {
        pool: pool.map(|pool| pool.to_string()),
        paused,
        since_ms: at.0,
        by: by.key().map(|key| key.to_string()),
    }
}
