//! Where in a request the fault lies that a refusal is about.

use orchestrator_core::refusal::{ClassAsk, Refusal};

use super::quotas;

/// The field of the request that a refusal is about, if it is about one.
pub(super) fn pointer(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::BudgetSessionless => Some("/session_budget"),
        Refusal::ClassUnknown { by, .. } => Some(match by {
            ClassAsk::Bulk => "/filter/priority",
            ClassAsk::Key => "/class_max",
            ClassAsk::Task => "/priority",
        }),
        Refusal::ContextExceeded {
            ctx_asked, ctx_max, ..
        } => {
            let ctx = ctx_asked.is_some_and(|asked| asked > *ctx_max);
            Some(if ctx { "/ctx" } else { "/input/prompt" })
        }
        Refusal::ModelUnknown { model_ref, .. } => Some(if model_ref.is_some() {
            "/model_ref"
        } else {
            "/engine"
        }),
        Refusal::DeadlineBeforeStart { .. } | Refusal::DeadlineUnmet { .. } => Some("/deadline_ms"),
        Refusal::IdempotencyMismatch { .. } => Some("header/Idempotency-Key"),
        Refusal::KeyExpiryPast { .. } => Some("/expires_at_ms"),
        Refusal::ScheduleFull { .. } => Some("/run_at_ms"),
        Refusal::PoolUnknown { .. } => Some("/pool"),
        Refusal::Quota(refusal) => quotas::pointer(refusal),
        Refusal::BudgetSpent { .. } | Refusal::SessionExhausted { .. } => Some("/session_id"),
        Refusal::TaskIdConflict { .. } => Some("/task_id"),
        Refusal::BulksFull { .. }
        | Refusal::KeyEnded { .. }
        | Refusal::KeyLast { .. }
        | Refusal::KeyTaken { .. }
        | Refusal::KeyUnknown { .. }
        | Refusal::PoolUnavailable { .. }
        | Refusal::QueueFull { .. }
        | Refusal::SessionUnknown { .. }
        | Refusal::SessionsUnused { .. }
        | Refusal::TaskEnded { .. }
        | Refusal::TaskUnknown { .. } => None,
    }
}
