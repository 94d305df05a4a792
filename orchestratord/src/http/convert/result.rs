//! What came of a task.

use api_types as wire;
use orchestrator_core::task::{TaskEnd, TaskRecord};
use uuid::Uuid;

use super::choice;
use super::task::task_error;
use crate::app::TaskOutcome;

/// The result as it stands.
pub(in crate::http) fn task_result(outcome: TaskOutcome) -> wire::TaskResult {
    let TaskOutcome {
        record,
        text,
        first_token_ms,
    } = outcome;
    let TaskRecord {
        id,
        spec,
        accepted_at,
        state,
        attempts,
        started,
        ended_at,
        end,
        ..
    } = record;
    let since_accept = |at: orchestrator_core::time::WallMs| at - accepted_at;
    let queue_ms = started.as_ref().map(|started| since_accept(started.at));
    let (finish, tokens_in, tokens_out, decode_ms) = match &end {
        Some(TaskEnd::Finished {
            finish,
            tokens_in,
            tokens_out,
            decode_ms,
        }) => (
            Some(*finish),
            Some(*tokens_in),
            Some(*tokens_out),
            Some(*decode_ms),
        ),
        Some(TaskEnd::Failed { .. }) | None => (None, None, None, None),
    };
    let (engine, engine_version, model_digest) = match started {
        Some(it) => (
            Some(it.engine),
            Some(it.engine_version),
            Some(it.model_digest),
        ),
        None => (None, None, None),
    };
    wire::TaskResult {
        task_id: Uuid::from_u128(id.0),
        state: choice::state(state),
        text,
        finish_reason: finish.map(choice::finish),
        error: end.and_then(task_error),
        tokens_in,
        tokens_out,
        attempts,
        seed: u64::from(spec.seed),
        engine: engine.map(choice::engine),
        engine_version,
        model_digest: model_digest.map(|digest| digest.to_string()),
        timings: wire::TaskTimings {
            queue_ms,
            first_token_ms,
            decode_ms,
            total_ms: ended_at.map(since_accept),
        },
    }
}
