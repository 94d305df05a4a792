//! Tasks, as replies show them.

use api_types as wire;
use orchestrator_core::id::ProjectId;
use orchestrator_core::task::{TaskEnd, TaskRecord, TaskSpec};
use store::TaskRow;
use uuid::Uuid;

use super::choice;
use crate::app::{ListedTasks, ShownTask};
use crate::names;

/// A task.
pub(in crate::http) fn task(shown: ShownTask) -> wire::Task {
    let ShownTask { row, position, why } = shown;
    let TaskRow { record, metadata } = row;
    let TaskRecord {
        id,
        project,
        created_by,
        spec,
        accepted_at,
        state,
        attempts,
        attempt,
        started,
        ended_at,
        end,
        ..
    } = record;
    let TaskSpec {
        kind,
        prompt,
        model_ref,
        engine,
        ctx,
        max_tokens,
        ignore_eos: _,
        sampling: _,
        seed,
        determinism,
        priority,
        deadline_ms,
        run_at,
        session,
        on_disconnect,
    } = spec;
    let replica = attempt
        .map(|attempt| attempt.replica)
        .or_else(|| started.as_ref().map(|it| it.replica.clone()));
    wire::Task {
        task_id: Uuid::from_u128(id.0),
        state: choice::state(state),
        error: end.and_then(task_error),
        priority: priority.to_string(),
        input: wire::TaskInput {
            kind: choice::input_kind(kind),
            prompt_bytes: prompt.bytes,
            prompt_digest: prompt.digest.to_string(),
            tokens_estimate: prompt.tokens_estimate,
        },
        model_ref: model_ref.map(|name| name.to_string()),
        engine: engine.map(choice::engine),
        ctx,
        max_tokens,
        deadline_ms,
        run_at_ms: run_at.map(|at| at.0),
        seed: u64::from(seed),
        determinism: choice::determinism(determinism),
        on_disconnect: choice::on_disconnect(on_disconnect),
        session_id: session.map(|id| Uuid::from_u128(id.0)),
        project_id: (project != ProjectId::DEFAULT).then(|| Uuid::from_u128(project.0)),
        created_by: created_by.key().map(|key| key.to_string()),
        metadata: (!metadata.is_empty()).then(|| metadata.into_iter().collect()),
        attempts,
        replica: replica.map(|name| name.to_string()),
        stream_position: position,
        created_at_ms: accepted_at.0,
        started_at_ms: started.map(|it| it.at.0),
        ended_at_ms: ended_at.map(|at| at.0),
        why: why.map(super::task_why),
    }
}

pub(super) fn task_error(end: TaskEnd) -> Option<wire::TaskError> {
    match end {
        TaskEnd::Finished { .. } => None,
        TaskEnd::Failed { fault, detail } => Some(wire::TaskError {
            code: choice::fault(fault),
            detail,
            retriable: names::fault_retriable(fault),
        }),
    }
}

/// A page of tasks.
pub(in crate::http) fn task_page(listed: ListedTasks) -> wire::TaskPage {
    let ListedTasks { tasks, next } = listed;
    wire::TaskPage {
        tasks: tasks.into_iter().map(task).collect(),
        next_cursor: next,
    }
}

/// The answer to a creation.
pub(in crate::http) fn task_created(
    record: &TaskRecord,
    correlation_id: String,
) -> wire::TaskCreated {
    wire::TaskCreated {
        task_id: Uuid::from_u128(record.id.0),
        correlation_id,
        state: choice::state(record.state),
        queue_position: record.accepted_position,
        predicted_start_ms: record.accepted_eta_ms,
        predicted_start_low_ms: record.accepted_band.map(|band| band.low_ms),
        predicted_start_high_ms: record.accepted_band.map(|band| band.high_ms),
        priority: record.spec.priority.to_string(),
        seed: u64::from(record.spec.seed),
    }
}
