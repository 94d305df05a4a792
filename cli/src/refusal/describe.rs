//! A refusal, for people.

use api_client::types::{NotChosen, Refusal};

use crate::{
    output::{Cell, Clock, Page, Tone, ago, counted, soon_within, span},
    task::candidates_of,
};

/// Why a task was refused, and what was found when that was decided.
pub(crate) fn describe(refusal: &Refusal, clock: Clock, page: &mut Page) {
    let Refusal {
        refusal_id,
        correlation_id,
        refused_at_ms,
        task_id,
        code,
        blocked_by,
        detail,
        limit_name,
        retry_after_ms,
        priority,
        project_id,
        created_by,
        model_ref,
        engine,
        session_id,
        tokens,
        ctx_need,
        deadline_ms,
        queue_depth,
        queue_position,
        predicted_start_ms,
        predicted_start_low_ms,
        predicted_start_high_ms,
        not_chosen,
        candidates,
    } = refusal;
    page.line(Cell::new(Tone::Strong, detail));
    let starts = soon_within(
        *predicted_start_ms,
        *predicted_start_low_ms,
        *predicted_start_high_ms,
    );
    page.fields([
        ("refused", ago(clock, *refused_at_ms).into()),
        ("refusal", refusal_id.to_string().into()),
        ("correlation", correlation_id.clone().into()),
        ("task", Cell::maybe(task_id.as_ref())),
        ("code", Cell::new(Tone::Bad, code.as_str())),
        ("blocked by", blocked_by.to_string().into()),
        ("limit", Cell::maybe(limit_name.as_ref())),
        (
            "try again",
            Cell::maybe(retry_after_ms.map(|ms| format!("after {}", span(ms)))),
        ),
        ("priority", priority.to_string().into()),
        ("project", Cell::maybe(project_id.as_ref())),
        ("created by", Cell::maybe(created_by.as_ref())),
        ("model", Cell::maybe(model_ref.as_ref())),
        ("engine", Cell::maybe(engine.as_ref())),
        ("session", Cell::maybe(session_id.as_ref())),
        ("cost", counted(u64::from(*tokens), "token").into()),
        (
            "context",
            format!("{} at least", counted(u64::from(*ctx_need), "token")).into(),
        ),
        ("deadline", Cell::maybe(deadline_ms.map(span))),
        (
            "in its class",
            format!("{} waiting", counted(*queue_depth, "task")).into(),
        ),
        ("tasks ahead", (*queue_position).into()),
        ("would start", starts.into()),
        ("not chosen", Cell::maybe(counts(not_chosen))),
    ]);
    candidates_of(candidates, page);
}

/// Numbers of replicas by what ruled them out.
fn counts(not_chosen: &NotChosen) -> Option<String> {
    let NotChosen {
        busy,
        context_too_small,
        engine_differs,
        model_differs,
        not_ready,
        outranked,
        paused,
        process_busy,
        replica_set_differs,
    } = not_chosen;
    let named = [
        (busy, "busy"),
        (context_too_small, "context_too_small"),
        (engine_differs, "engine_differs"),
        (model_differs, "model_differs"),
        (not_ready, "not_ready"),
        (outranked, "outranked"),
        (paused, "paused"),
        (process_busy, "process_busy"),
        (replica_set_differs, "replica_set_differs"),
    ];
    let said: Vec<String> = named
        .into_iter()
        .filter_map(|(count, name)| count.map(|count| format!("{count} {name}")))
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}
