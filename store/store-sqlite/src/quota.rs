//! Quotas, their levels and held queues as rows. Values are bound and read in the order in which `sql.rs` and `load.rs`
//! name the columns.

use orchestrator_core::id::{KeyId, PoolName, PrincipalId, TenantId};
use orchestrator_core::key::Tenant;
use orchestrator_core::queue::PauseRecord;
use orchestrator_core::quota::{
    Bucket, QuotaLevels, QuotaLimits, QuotaOf, QuotaRecord, QuotaSubject, RequestRate,
};
use orchestrator_core::time::WallMs;
use rusqlite::Result;

use crate::codec::{ShortId, Unsigned};
use crate::record::Columns;
use crate::sql::Binder;

/// Puts how a queue was switched.
pub(crate) const PAUSE_PUT: &str = "INSERT INTO queue_pause (pool, paused, at_ms, by) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (pool) DO UPDATE SET paused = excluded.paused, at_ms = excluded.at_ms, \
    by = excluded.by";

/// Puts levels.
pub(crate) const QUOTA_LEVELS_PUT: &str = "INSERT INTO quota_level (subject, request_units, request_at_ms, token_units, \
    token_at_ms) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (subject) DO UPDATE SET \
    request_units = excluded.request_units, request_at_ms = excluded.request_at_ms, \
    token_units = excluded.token_units, token_at_ms = excluded.token_at_ms";

/// Puts a quota in the place of the revision before.
pub(crate) const QUOTA_PUT: &str = "INSERT INTO quota (subject, tenant, tasks_live_max, requests_per_s, requests_burst, \
    tokens_per_min, kv_mb_max, weight, revision, put_at_ms, put_by) \
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 \
    WHERE ?9 = 1 OR EXISTS (SELECT 1 FROM quota WHERE subject = ?1) \
    ON CONFLICT (subject) DO UPDATE SET tasks_live_max = excluded.tasks_live_max, \
    requests_per_s = excluded.requests_per_s, requests_burst = excluded.requests_burst, \
    tokens_per_min = excluded.tokens_per_min, kv_mb_max = excluded.kv_mb_max, \
    weight = excluded.weight, revision = excluded.revision, \
    put_at_ms = excluded.put_at_ms, put_by = excluded.put_by \
    WHERE revision = excluded.revision - 1 AND tenant IS excluded.tenant";

/// Binds a quota.
pub(crate) fn bind_quota(to: &mut Binder<'_, '_>, record: &QuotaRecord) -> Result<()> {
    let QuotaRecord {
        of,
        limits,
        weight,
        revision,
        put_at,
        put_by,
    } = record;
    let QuotaLimits {
        tasks_live_max,
        requests,
        tokens_per_min,
        kv_mb_max,
    } = limits;
    let tenant = match of {
        QuotaOf::Key(_) => None,
        QuotaOf::Tenant(tenant) => Some(tenant.name()),
    };
    to.value(subject_text(of.subject()))?
        .value_or_null(tenant)?
        .value_or_null(*tasks_live_max)?
        .value_or_null(requests.map(|rate| rate.per_s))?
        .value_or_null(requests.map(|rate| rate.burst))?
        .value_or_null(tokens_per_min.map(Unsigned))?
        .value_or_null(kv_mb_max.map(Unsigned))?
        .value_or_null(*weight)?
        .value(Unsigned(*revision))?
        .value(Unsigned(put_at.0))?
        .value(ShortId::new(put_by.0))?;
    Ok(())
}

/// Binds levels.
pub(crate) fn bind_levels(to: &mut Binder<'_, '_>, levels: &QuotaLevels) -> Result<()> {
    let QuotaLevels {
        subject,
        requests,
        tokens,
    } = levels;
    to.value(subject_text(*subject))?
        .value(Unsigned(requests.units))?
        .value(Unsigned(requests.at.0))?
        .value(Unsigned(tokens.units))?
        .value(Unsigned(tokens.at.0))?;
    Ok(())
}

/// Binds how a queue was switched.
pub(crate) fn bind_pause(to: &mut Binder<'_, '_>, record: &PauseRecord) -> Result<()> {
    let PauseRecord {
        pool,
        paused,
        at,
        by,
    } = record;
    to.value(pool.as_ref().map_or("", PoolName::as_str))?
        .value(*paused)?
        .value(Unsigned(at.0))?
        .value(ShortId::new(by.0))?;
    Ok(())
}

/// Reads a quota.
pub(crate) fn read_quota(from: &mut Columns<'_>) -> Result<QuotaRecord> {
    let subject = read_subject(from)?;
    let name: Option<String> = from.take()?;
    let of = match (subject, name) {
        (QuotaSubject::Key(key), None) => QuotaOf::Key(key),
        (_, name) => {
            let name = name.unwrap_or_default();
            let tenant = Tenant::named(&name).ok_or_else(|| from.unknown("tenant", &name))?;
            QuotaOf::Tenant(tenant)
        }
    };
    Ok(QuotaRecord {
        of,
        limits: QuotaLimits {
            tasks_live_max: from.take()?,
            requests: read_rate(from)?,
            tokens_per_min: read_count(from)?,
            kv_mb_max: read_count(from)?,
        },
        weight: from.take()?,
        revision: from.number()?,
        put_at: WallMs(from.number()?),
        put_by: PrincipalId(from.take::<ShortId>()?.value()),
    })
}

/// Reads levels.
pub(crate) fn read_levels(from: &mut Columns<'_>) -> Result<QuotaLevels> {
    Ok(QuotaLevels {
        subject: read_subject(from)?,
        requests: read_bucket(from)?,
        tokens: read_bucket(from)?,
    })
}

/// Reads how a queue was switched.
pub(crate) fn read_pause(from: &mut Columns<'_>) -> Result<PauseRecord> {
    let pool: String = from.take()?;
    Ok(PauseRecord {
        pool: (!pool.is_empty()).then(|| PoolName::new(pool)),
        paused: from.take()?,
        at: WallMs(from.number()?),
        by: PrincipalId(from.take::<ShortId>()?.value()),
    })
}

fn read_rate(from: &mut Columns<'_>) -> Result<Option<RequestRate>> {
    let (per_s, burst): (Option<u32>, Option<u32>) = (from.take()?, from.take()?);
    Ok(per_s
        .zip(burst)
        .map(|(per_s, burst)| RequestRate { per_s, burst }))
}

fn read_count(from: &mut Columns<'_>) -> Result<Option<u64>> {
    Ok(from.take::<Option<Unsigned>>()?.map(|count| count.0))
}

fn read_bucket(from: &mut Columns<'_>) -> Result<Bucket> {
    Ok(Bucket {
        units: from.number()?,
        at: WallMs(from.number()?),
    })
}

fn subject_text(subject: QuotaSubject) -> String {
    match subject {
        QuotaSubject::Key(key) => format!("key:{key}"),
        QuotaSubject::Tenant(tenant) => format!("tenant:{:032x}", tenant.0),
    }
}

fn read_subject(from: &mut Columns<'_>) -> Result<QuotaSubject> {
    let text: String = from.take()?;
    let subject = match text.split_once(':') {
        Some(("key", id)) => u64::from_str_radix(id, 16)
            .ok()
            .map(|id| QuotaSubject::Key(KeyId(id))),
        Some(("tenant", id)) => u128::from_str_radix(id, 16)
            .ok()
            .map(|id| QuotaSubject::Tenant(TenantId(id))),
        _ => None,
    };
    subject.ok_or_else(|| from.unknown("subject of a quota", &text))
}
