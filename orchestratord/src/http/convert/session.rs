//! Sessions, as they are asked for and as replies show them.

use api_types as wire;
use orchestrator_core::session::{SessionBudget, SessionRecord, SessionView};
use uuid::Uuid;

use super::create::budget;
use crate::app::NewSession;

/// What a session is to be.
pub(in crate::http) fn new_session(request: wire::SessionPutRequest) -> NewSession {
    let wire::SessionPutRequest {
        budget: asked,
        ttl_ms,
    } = request;
    NewSession {
        budget: asked.map(budget).unwrap_or_default(),
        ttl_ms,
    }
}

/// A session.
pub(in crate::http) fn session(view: SessionView) -> wire::Session {
    let SessionView {
        record,
        left,
        turns_max,
        ttl_ms,
        ttl_ms_remaining,
    } = view;
    let SessionRecord {
        id,
        tenant: _,
        turns,
        replica,
        began: _,
        budget,
        spent,
        ttl_ms: _,
        put,
        touched_at: _,
    } = record;
    wire::Session {
        session_id: Uuid::from_u128(id.0),
        turns,
        turns_max,
        ttl_ms_remaining,
        replica: replica.map(|name| name.to_string()),
        // Engines are not asked what they keep of a session, so nothing is claimed.
        kv_bytes: 0,
        kv_warmth: false,
        tokens_budget_remaining: left.tokens,
        time_budget_remaining_ms: left.time_ms,
        cost_budget_remaining_micros: left.cost_micros,
        tokens_spent: spent.tokens,
        time_spent_ms: spent.time_ms,
        cost_spent_micros: spent.cost_micros,
        budget: budget_shown(budget),
        ttl_ms,
        put_at_ms: put.map(|(_, at)| at.0),
        put_by: put.and_then(|(by, _)| by.key()).map(|key| key.to_string()),
    }
}

fn budget_shown(budget: SessionBudget) -> wire::SessionBudget {
    let SessionBudget {
        tokens,
        time_ms,
        cost_micros,
    } = budget;
    wire::SessionBudget {
        tokens,
        time_ms,
        cost_micros,
    }
}
