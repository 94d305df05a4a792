//! How tasks look to people.

use api_client::types::{PlacementCandidate, Task, TaskError, TaskInput, TaskState, TaskWhy};

use crate::output::{Cell, Clock, Page, Tone, ago, counted, moment, soon_within, span};

/// A state in its colour.
pub(super) fn state(state: &TaskState) -> Cell {
    let tone = match state {
        TaskState::Completed => Tone::Good,
        TaskState::Failed | TaskState::Parked => Tone::Bad,
        TaskState::Dispatched | TaskState::Running | TaskState::CancelRequested => Tone::Busy,
        TaskState::Cancelled | TaskState::Queued | TaskState::Waiting | TaskState::Unknown(_) => {
            Tone::Plain
        }
    };
    Cell::new(tone, state.as_str())
}

/// How long it took from a task's acceptance to its end, as its result says it too. A task that never ran
/// has taken its time as well.
pub(super) fn took(task: &Task) -> Option<String> {
    let total = task.ended_at_ms?.saturating_sub(task.created_at_ms);
    Some(span(total))
}

/// Everything about a task.
pub(super) fn task(task: &Task, clock: Clock, page: &mut Page) {
    let TaskInput {
        kind,
        prompt_bytes,
        prompt_digest,
        tokens_estimate,
    } = &task.input;
    let mut fields = vec![
        ("task", task.task_id.to_string().into()),
        ("state", state(&task.state)),
        ("priority", task.priority.to_string().into()),
        (
            "input",
            format!(
                "{kind}, {}, about {}, {prompt_digest}",
                counted(*prompt_bytes, "byte"),
                counted(*tokens_estimate, "token")
            )
            .into(),
        ),
        ("seed", task.seed.into()),
        ("determinism", task.determinism.to_string().into()),
        ("on disconnect", task.on_disconnect.to_string().into()),
        ("attempts", task.attempts.into()),
        (
            "tokens",
            format!("{} of at most {}", task.stream_position, task.max_tokens).into(),
        ),
    ];
    let mut known =
        |name, value: Option<String>| fields.extend(value.map(|value| (name, Cell::from(value))));
    known("deadline", task.deadline_ms.map(span));
    known("starts at", task.run_at_ms.map(moment));
    known("model", task.model_ref.clone());
    known("engine", task.engine.as_ref().map(ToString::to_string));
    known(
        "context",
        task.ctx
            .map(|ctx| format!("at least {}", counted(ctx, "token"))),
    );
    known("project", task.project_id.map(|id| id.to_string()));
    known("created by", task.created_by.clone());
    known("session", task.session_id.map(|id| id.to_string()));
    known("replica", task.replica.clone());
    for (key, value) in task.metadata.iter().flatten() {
        known("metadata", Some(format!("{key}={value}")));
    }
    known("created", Some(ago(clock, task.created_at_ms)));
    known("started", task.started_at_ms.map(|at| ago(clock, at)));
    known("ended", task.ended_at_ms.map(|at| ago(clock, at)));
    known("took", took(task));
    page.pairs(fields);
    if let Some(error) = &task.error {
        page.gap();
        failure(error, page);
    }
    if let Some(reasons) = &task.why {
        page.gap();
        why(reasons, page);
    }
}

/// Why a task failed.
pub(super) fn failure(error: &TaskError, page: &mut Page) {
    let TaskError {
        code,
        detail,
        retriable,
    } = error;
    page.line(Cell::new(Tone::Bad, format!("{code}: {detail}")));
    page.line(match retriable {
        true => "a new task with the same input may succeed",
        false => "a new task with the same input will not succeed",
    });
}

/// Why a task stands where it stands.
pub(super) fn why(why: &TaskWhy, page: &mut Page) {
    let TaskWhy {
        summary,
        blocked_by,
        waiting_for,
        wakes_in_ms,
        queue_position,
        predicted_start_ms,
        predicted_start_low_ms,
        predicted_start_high_ms,
        on_time_probability,
        candidates,
    } = why;
    page.line(Cell::new(Tone::Strong, summary));
    let mut fields = Vec::new();
    let mut known =
        |name, value: Option<String>| fields.extend(value.map(|value| (name, Cell::from(value))));
    known("blocked by", blocked_by.as_ref().map(ToString::to_string));
    known("waits for", waiting_for.as_ref().map(ToString::to_string));
    known("wakes in", wakes_in_ms.map(span));
    known(
        "tasks ahead",
        queue_position.map(|position| position.to_string()),
    );
    let (low, high) = (*predicted_start_low_ms, *predicted_start_high_ms);
    known(
        "starts",
        predicted_start_ms.map(|ms| soon_within(ms, low, high)),
    );
    known("in time", on_time_probability.map(percent));
    page.pairs(fields);
    candidates_of(candidates.as_deref().unwrap_or_default(), page);
}

/// What placement thinks of each replica.
pub(crate) fn candidates_of(candidates: &[PlacementCandidate], page: &mut Page) {
    if candidates.is_empty() {
        return;
    }
    page.gap();
    let rows = candidates
        .iter()
        .map(|it| {
            [
                it.replica.as_str().into(),
                it.verdict.to_string().into(),
                it.detail.as_str().into(),
            ]
        })
        .collect();
    page.table(["REPLICA", "VERDICT", "WHY"], rows);
}

/// A probability, rounded down so that nothing uncertain looks certain.
fn percent(probability: f64) -> String {
    format!("{:.0} %", (probability * 100.0).floor())
}
