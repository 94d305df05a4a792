//! Tasks that were turned away.

use api_types as wire;
use orchestrator_core::id::ProjectId;
use orchestrator_core::obstacle::Obstacle;
use orchestrator_core::placement::VerdictCounts;
use orchestrator_core::refusal::RefusedTask;
use uuid::Uuid;

use super::choice;
use crate::app::{KeptRefusal, ListedRefusals};
use crate::http::problem;

/// A refusal that is kept.
pub(in crate::http) fn refusal(kept: &KeptRefusal) -> wire::Refusal {
    let KeptRefusal {
        id,
        number: _,
        correlation_id,
        named,
        obstacle,
        refused,
    } = kept;
    let RefusedTask {
        refusal,
        at,
        task,
        tenant: _,
        project,
        created_by,
        priority,
        model_ref,
        engine,
        session,
        ctx_need,
        tokens,
        deadline_ms,
        queue_depth,
        queue_position,
        predicted_start_ms,
        start_band,
        counts,
        candidates,
    } = RefusedTask::clone(refused);
    let answered = problem::of_refusal(refusal, correlation_id);
    wire::Refusal {
        refusal_id: *id,
        correlation_id: correlation_id.clone(),
        refused_at_ms: at.0,
        task_id: named.then(|| Uuid::from_u128(task.0)),
        code: answered.code,
        blocked_by: self::obstacle(*obstacle),
        detail: answered.detail,
        limit_name: answered.limit_name,
        retry_after_ms: answered.retry_after_ms,
        priority: priority.to_string(),
        project_id: (project != ProjectId::DEFAULT).then(|| Uuid::from_u128(project.0)),
        created_by: created_by.key().map(|key| key.to_string()),
        model_ref: model_ref.map(|name| name.to_string()),
        engine: engine.map(choice::engine),
        session_id: session.map(|id| Uuid::from_u128(id.0)),
        tokens,
        ctx_need,
        deadline_ms,
        queue_depth,
        queue_position,
        predicted_start_ms,
        predicted_start_low_ms: start_band.map(|band| band.low_ms),
        predicted_start_high_ms: start_band.map(|band| band.high_ms),
        not_chosen: not_chosen(counts),
        candidates: candidates.into_iter().map(super::why::candidate).collect(),
    }
}

/// A page of refusals.
pub(in crate::http) fn refusal_page(listed: &ListedRefusals) -> wire::RefusalPage {
    wire::RefusalPage {
        refusals: listed.refusals.iter().map(|kept| refusal(kept)).collect(),
        next_cursor: listed.next.clone(),
    }
}

fn not_chosen(counts: VerdictCounts) -> wire::NotChosen {
    let VerdictCounts {
        engine_differs,
        model_differs,
        not_ready,
        context_too_small,
        replica_set_differs,
        busy,
        outranked,
        paused,
        process_busy,
    } = counts;
    let some = |count: u32| (count > 0).then_some(count);
    wire::NotChosen {
        busy: some(busy),
        context_too_small: some(context_too_small),
        engine_differs: some(engine_differs),
        model_differs: some(model_differs),
        not_ready: some(not_ready),
        outranked: some(outranked),
        paused: some(paused),
        process_busy: some(process_busy),
        replica_set_differs: some(replica_set_differs),
    }
}

/// What stands in the way of a task.
pub(super) fn obstacle(obstacle: Obstacle) -> wire::Obstacle {
    match obstacle {
        Obstacle::Backoff => wire::Obstacle::Backoff,
        Obstacle::Cancel => wire::Obstacle::Cancel,
        Obstacle::Context => wire::Obstacle::Context,
        Obstacle::Deadline => wire::Obstacle::Deadline,
        Obstacle::NotReady => wire::Obstacle::NotReady,
        Obstacle::Offer => wire::Obstacle::Offer,
        Obstacle::Operator => wire::Obstacle::Operator,
        Obstacle::Paused => wire::Obstacle::Paused,
        Obstacle::Pool => wire::Obstacle::Pool,
        Obstacle::Queue => wire::Obstacle::Queue,
        Obstacle::QueueFull => wire::Obstacle::QueueFull,
        Obstacle::Quota => wire::Obstacle::Quota,
        Obstacle::ReplicaSet => wire::Obstacle::ReplicaSet,
        Obstacle::Session => wire::Obstacle::Session,
        Obstacle::Slots => wire::Obstacle::Slots,
        Obstacle::Time => wire::Obstacle::Time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_contract_are_those_of_the_machine() {
        for one in Obstacle::ALL {
            assert_eq!(obstacle(one).as_str(), one.name());
        }
    }
}
