//! What comes in, and the bytes that come with it.

use std::sync::Arc;

use orchestrator_core::id::{PayloadRef, TaskId};
use orchestrator_core::input::{Ask, AttemptEnd, Report};
use orchestrator_core::machine::Machine;
use orchestrator_core::task::TaskRecord;

/// The task on whose record the answer to an ask depends. Nobody can have ended under a fresh id.
pub(super) fn answered_by(ask: &Ask, machine: &Machine) -> Option<TaskId> {
    match ask {
        Ask::TaskCreate { create, .. } => machine.answered_by(create),
        other => named_task(other),
    }
}

/// The task that an ask's idempotency key stands for.
pub(super) fn bound_task(ask: &Ask, machine: &Machine) -> Option<TaskId> {
    match ask {
        Ask::TaskCreate { create, .. } => machine.bound_task(create),
        _ => None,
    }
}

/// The task that an ask names.
pub(super) fn named_task(ask: &Ask) -> Option<TaskId> {
    match ask {
        Ask::BulkBegin(_)
        | Ask::KeyCreate(_)
        | Ask::KeyRevoke { .. }
        | Ask::KeyRotate(_)
        | Ask::QueuePause(_)
        | Ask::QueueResume(_)
        | Ask::QuotaPut(_)
        | Ask::SessionDelete { .. }
        | Ask::SessionPut(_) => None,
        Ask::TaskCancel { task, .. } | Ask::TaskRequeue { task, .. } => Some(*task),
        Ask::TaskCreate { create, .. } => (!create.fresh).then_some(create.id),
    }
}

/// Gives an ask what the store has of the task it names, and the handle of its body.
pub(super) fn furnish_ask(ask: &mut Ask, found: Option<TaskRecord>, payload: PayloadRef) {
    match ask {
        Ask::BulkBegin(_)
        | Ask::KeyCreate(_)
        | Ask::KeyRevoke { .. }
        | Ask::KeyRotate(_)
        | Ask::QueuePause(_)
        | Ask::QueueResume(_)
        | Ask::QuotaPut(_)
        | Ask::SessionDelete { .. }
        | Ask::SessionPut(_) => {}
        Ask::TaskCancel { cold, .. } | Ask::TaskRequeue { cold, .. } => {
            *cold = found.map(Arc::new);
        }
        Ask::TaskCreate { create, cold } => {
            *cold = found.map(Arc::new);
            create.body = payload;
        }
    }
}

/// Gives a report the handle of its text.
pub(super) fn furnish_report(report: &mut Report, payload: PayloadRef) {
    match report {
        Report::AttemptChunk { chunk, .. } => *chunk = payload,
        Report::AttemptEnded {
            end: AttemptEnd::Finished { text, .. },
            ..
        } => *text = payload,
        Report::AttemptEnded { .. }
        | Report::AttemptRenewed { .. }
        | Report::AttemptRunning { .. }
        | Report::PoolUnavailable { .. }
        | Report::ReadersChanged { .. }
        | Report::ReplicaDown { .. }
        | Report::ReplicaReady { .. } => {}
    }
}
