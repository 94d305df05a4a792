//! A session, for people.

use api_client::types::Session;

use crate::output::{Cell, Clock, Page, ago, counted, span};

/// A session with everything that is known of it.
pub(super) fn describe(session: &Session, clock: Clock, page: &mut Page) {
    let Session {
        session_id,
        turns,
        turns_max,
        ttl_ms_remaining,
        replica,
        kv_bytes,
        kv_warmth,
        tokens_budget_remaining,
        time_budget_remaining_ms,
        cost_budget_remaining_micros,
        tokens_spent,
        time_spent_ms,
        cost_spent_micros,
        budget,
        ttl_ms,
        put_at_ms,
        put_by,
    } = session;
    let bytes = counted(*kv_bytes, "byte");
    let cache = match kv_warmth {
        true => format!("{bytes}, would be reused"),
        false => format!("{bytes}, would not be reused"),
    };
    page.fields([
        ("session", session_id.to_string().into()),
        ("turns", format!("{turns} of {turns_max}").into()),
        (
            "expires in",
            format!(
                "{} if no task comes; it lives {} after each",
                span(*ttl_ms_remaining),
                span(*ttl_ms)
            )
            .into(),
        ),
        ("replica", Cell::maybe(replica.as_ref())),
        ("cache", cache.into()),
        (
            "tokens",
            used(
                counted(*tokens_spent, "token"),
                tokens_budget_remaining.map(|left| left.to_string()),
                budget.tokens.map(|limit| limit.to_string()),
            )
            .into(),
        ),
        (
            "time",
            used(
                span(*time_spent_ms),
                time_budget_remaining_ms.map(span),
                budget.time_ms.map(span),
            )
            .into(),
        ),
        (
            "cost",
            used(
                format!("{cost_spent_micros} micros"),
                cost_budget_remaining_micros.map(|left| left.to_string()),
                budget.cost_micros.map(|limit| limit.to_string()),
            )
            .into(),
        ),
        ("put", Cell::maybe(put_at_ms.map(|at| ago(clock, at)))),
        ("put by", Cell::maybe(put_by.as_ref())),
    ]);
}

/// What was used of a budget, and what is left of it.
fn used(spent: String, left: Option<String>, limit: Option<String>) -> String {
    match left.zip(limit) {
        Some((left, limit)) => format!("{spent} used, {left} left of {limit}"),
        None => format!("{spent} used, no budget"),
    }
}
