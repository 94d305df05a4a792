//! Quotas, for people.

use api_client::types::{Quota, QuotaUse};

use crate::output::{Cell, Clock, Page, ago};

/// What a missing limit is called.
const NONE: &str = "no limit";

/// A quota with everything that is known of it.
pub(super) fn describe(quota: &Quota, clock: Clock, page: &mut Page) {
    let Quota {
        kind,
        id,
        revision,
        tasks_live_max,
        requests_per_s: _,
        burst: _,
        tokens_per_min: _,
        kv_mb_max,
        weight,
        used,
        put_at_ms,
        put_by,
    } = quota;
    let QuotaUse {
        tasks_live,
        kv_mb_reserved,
        ..
    } = used;
    let put = match put_at_ms {
        Some(at_ms) => ago(clock, *at_ms),
        None => "never; the limits are the configured ones".to_owned(),
    };
    page.fields([
        ("quota of", format!("{kind} {id}").into()),
        (
            "live tasks",
            of_limit(*tasks_live, tasks_live_max.map(u64::from)).into(),
        ),
        ("requests", requests(quota).into()),
        ("tokens", tokens(quota).into()),
        (
            "cache MB",
            of_limit(kv_mb_reserved.unwrap_or(0), *kv_mb_max).into(),
        ),
        ("weight", Cell::maybe(*weight)),
        ("revision", (*revision).to_string().into()),
        ("put", put.into()),
        ("put by", Cell::maybe(put_by.as_ref())),
    ]);
}

/// What is used of a limit.
pub(super) fn of_limit(used: u64, max: Option<u64>) -> String {
    max.map_or_else(|| NONE.to_owned(), |max| format!("{used} of {max}"))
}

/// The rate, and what of its burst is left.
pub(super) fn requests(quota: &Quota) -> String {
    let (Some(rate), Some(burst)) = (quota.requests_per_s, quota.burst) else {
        return NONE.to_owned();
    };
    let left = quota.used.requests_left.unwrap_or(0);
    format!("{rate} a second, {left} of a burst of {burst} left")
}

/// Tokens reserved and used.
pub(super) fn tokens(quota: &Quota) -> String {
    let used = &quota.used;
    match quota.tokens_per_min {
        None => NONE.to_owned(),
        Some(max) => format!(
            "{} reserved and {} used of {max} a minute",
            used.tokens_reserved, used.tokens_used
        ),
    }
}
