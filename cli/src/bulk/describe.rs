//! A bulk, for people.

use api_client::types::{Bulk, BulkAction, BulkFilterShown, BulkSkipReason, BulkState};

use crate::output::{Cell, Clock, Page, Tone, ago, counted, moment, span};

/// What a bulk has done, or would do, and to which tasks.
pub(crate) fn describe(bulk: &Bulk, clock: Clock, page: &mut Page) {
    let Bulk {
        bulk_id,
        action,
        state,
        filter,
        matched,
        changed,
        skipped,
        skip_reason,
        created_at_ms,
        counted_at_ms,
        ended_at_ms,
        created_by,
    } = bulk;
    let (tasks, done) = (counted(*changed, "task"), outcome(action));
    let headline = match state {
        BulkState::DryRun => format!("{tasks} would be {done}"),
        BulkState::Running => format!("{tasks} {done} so far"),
        _ => format!("{tasks} {done}"),
    };
    page.line(Cell::new(Tone::Strong, headline));
    let mut fields: Vec<(&str, Cell)> = Vec::new();
    let mut known =
        |name, value: Option<String>| fields.extend(value.map(|value| (name, Cell::from(value))));
    known("bulk", bulk_id.map(|id| id.to_string()));
    known("action", Some(action.to_string()));
    known("tasks", Some(whom(filter)));
    known(
        "state",
        (*state != BulkState::DryRun).then(|| state.to_string()),
    );
    known("matched", Some(counted(*matched, "task")));
    known("unchanged", Some(left(*skipped, skip_reason.as_ref())));
    known("counted", counted_at_ms.map(|at| ago(clock, at)));
    known("begun", created_at_ms.map(|at| ago(clock, at)));
    let took = created_at_ms.zip(*ended_at_ms);
    known(
        "took",
        took.map(|(began, ended)| span(ended.saturating_sub(began))),
    );
    known("begun by", created_by.clone());
    page.pairs(fields);
    match state {
        BulkState::DryRun => page.line("nothing was changed; leave out --dry-run to do it"),
        BulkState::Running => {
            page.line("the daemon goes on by itself; ask again to see how far it is")
        }
        _ => {}
    }
}

/// What became of a task that was changed.
fn outcome(action: &BulkAction) -> &'static str {
    match action {
        BulkAction::Cancel => "cancelled",
        BulkAction::Requeue => "taken back into the queue",
        BulkAction::Unknown(_) => "changed",
    }
}

/// Which tasks it is about, as one line.
fn whom(filter: &BulkFilterShown) -> String {
    let BulkFilterShown {
        state,
        priority,
        session_id,
        project_id,
        created_from_ms,
        created_before_ms,
    } = filter;
    let limits = [
        state.as_ref().map(|state| format!("in state {state}")),
        priority.as_ref().map(|class| format!("of class {class}")),
        session_id.map(|id| format!("of session {id}")),
        project_id.map(|id| format!("of project {id}")),
        created_from_ms.map(|at| format!("accepted at {} or later", moment(at))),
        created_before_ms.map(|at| format!("accepted before {}", moment(at))),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    match limits.is_empty() {
        true => "every live task of yours".to_owned(),
        false => format!("live tasks of yours {}", limits.join(", ")),
    }
}

/// How many are left as they are, and why.
fn left(skipped: u64, reason: Option<&BulkSkipReason>) -> String {
    let tasks = counted(skipped, "task");
    match reason {
        None => tasks,
        Some(BulkSkipReason::CancelRequested) => format!("{tasks}, being cancelled already"),
        Some(BulkSkipReason::NotParked) => format!("{tasks}, not parked"),
        Some(other @ BulkSkipReason::Unknown(_)) => format!("{tasks}, {other}"),
    }
}
