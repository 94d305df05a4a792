//! Commands over many tasks.

use api_types as wire;
use orchestrator_core::bulk::{BulkAction, BulkCount, BulkFilter, BulkRecord, LiveState};
use orchestrator_core::id::{BulkId, ProjectId, SessionId};
use orchestrator_core::time::WallMs;
use store::Named;
use uuid::Uuid;

use super::choice;
use crate::app::{NewBulk, ShownBulk};

/// The bulk that a request asks for.
pub(in crate::http) fn new_bulk(request: wire::BulkRequest, fresh: Uuid) -> NewBulk {
    let wire::BulkRequest { filter, dry_run } = request;
    let wire::BulkFilter {
        state,
        priority,
        session_id,
        project_id,
        created_from_ms,
        created_before_ms,
    } = filter.unwrap_or_default();
    NewBulk {
        id: BulkId(fresh.as_u128()),
        dry_run: dry_run == Some(true),
        state: state.map(live_state),
        priority: priority.as_deref().and_then(choice::class_choice),
        session: session_id.map(|id| SessionId(id.as_u128())),
        project: project_id.map(|id| ProjectId(id.as_u128())),
        accepted_from: created_from_ms.map(WallMs),
        accepted_before: created_before_ms.map(WallMs),
    }
}

fn live_state(state: wire::BulkStateFilter) -> LiveState {
    match state {
        wire::BulkStateFilter::CancelRequested => LiveState::CancelRequested,
        wire::BulkStateFilter::Dispatched => LiveState::Dispatched,
        wire::BulkStateFilter::Parked => LiveState::Parked,
        wire::BulkStateFilter::Queued => LiveState::Queued,
        wire::BulkStateFilter::Running => LiveState::Running,
        wire::BulkStateFilter::Waiting => LiveState::Waiting,
    }
}

/// A bulk.
pub(in crate::http) fn bulk(shown: ShownBulk) -> wire::Bulk {
    match shown {
        ShownBulk::Begun(row) => begun(row),
        ShownBulk::Counted {
            action,
            filter,
            count,
            at,
        } => wire::Bulk {
            counted_at_ms: Some(at.0),
            ..counted(action, filter, count, wire::BulkState::DryRun)
        },
    }
}

fn begun(row: BulkRecord) -> wire::Bulk {
    let BulkRecord {
        id,
        action,
        filter,
        by,
        at,
        through: _,
        place: _,
        count,
        ended_at,
    } = row;
    let state = match ended_at {
        Some(_) => wire::BulkState::Done,
        None => wire::BulkState::Running,
    };
    wire::Bulk {
        bulk_id: Some(Uuid::from_u128(id.0)),
        created_at_ms: Some(at.0),
        ended_at_ms: ended_at.map(|at| at.0),
        created_by: by.key().map(|key| key.to_string()),
        ..counted(action, filter, count, state)
    }
}

fn counted(
    action: BulkAction,
    filter: BulkFilter,
    count: BulkCount,
    state: wire::BulkState,
) -> wire::Bulk {
    let BulkCount { matched, changed } = count;
    let skipped = matched - changed;
    let (action, reason) = match action {
        BulkAction::Cancel => (
            wire::BulkAction::Cancel,
            wire::BulkSkipReason::CancelRequested,
        ),
        BulkAction::Requeue => (wire::BulkAction::Requeue, wire::BulkSkipReason::NotParked),
    };
    wire::Bulk {
        bulk_id: None,
        action,
        state,
        filter: filter_shown(filter),
        matched,
        changed,
        skipped,
        skip_reason: (skipped > 0).then_some(reason),
        created_at_ms: None,
        counted_at_ms: None,
        ended_at_ms: None,
        created_by: None,
    }
}

fn filter_shown(filter: BulkFilter) -> wire::BulkFilterShown {
    let BulkFilter {
        tenant: _,
        project,
        state,
        priority,
        session,
        accepted_from,
        accepted_before,
    } = filter;
    wire::BulkFilterShown {
        state: state.map(|state| state.name().to_owned()),
        priority: priority.map(|class| class.to_string()),
        session_id: session.map(|id| Uuid::from_u128(id.0)),
        project_id: project.map(|id| Uuid::from_u128(id.0)),
        created_from_ms: accepted_from.map(|at| at.0),
        created_before_ms: accepted_before.map(|at| at.0),
    }
}
