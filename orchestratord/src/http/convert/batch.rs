//! Tasks handed over together.

use api_types as wire;
use orchestrator_core::queue::ClassName;
use uuid::Uuid;

use super::create::new_task;
use super::task::task_created;
use crate::app::{Created, NewTask, Trouble};
use crate::http::context::Context;

/// The tasks that a request asks for, each with whether it names its id; who does not gets one from `fresh`.
pub(in crate::http) fn new_tasks(
    request: wire::TaskBatchRequest,
    fresh: impl Fn() -> Uuid,
    class_default: ClassName,
) -> Vec<(NewTask, bool)> {
    let wire::TaskBatchRequest { tasks } = request;
    let task = |request: wire::TaskCreateRequest| {
        let named = request.task_id.is_some();
        (new_task(request, None, fresh(), class_default), named)
    };
    tasks.into_iter().map(task).collect()
}

/// What became of them; `keep` keeps the trouble of the task at a place, and says by which id it is found.
pub(in crate::http) fn task_batch(
    outcomes: Vec<Result<Created, Trouble>>,
    context: &Context,
    keep: impl Fn(usize, &Trouble) -> Option<Uuid>,
) -> wire::TaskBatch {
    let all = outcomes.len();
    let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let items = outcomes.into_iter().enumerate();
    wire::TaskBatch {
        accepted: count(accepted),
        refused: count(all - accepted),
        items: items
            .map(|(place, outcome)| {
                let refusal_id = outcome.as_ref().err().and_then(|it| keep(place, it));
                wire::TaskBatchItem {
                    refusal_id,
                    ..item(place, outcome, context)
                }
            })
            .collect(),
    }
}

fn item(place: usize, outcome: Result<Created, Trouble>, context: &Context) -> wire::TaskBatchItem {
    match outcome {
        Ok(Created {
            record, replayed, ..
        }) => wire::TaskBatchItem {
            task: Some(task_created(
                &record,
                context.correlation.as_str().to_owned(),
            )),
            replayed: replayed.then_some(true),
            problem: None,
            refusal_id: None,
        },
        Err(trouble) => wire::TaskBatchItem {
            task: None,
            replayed: None,
            problem: Some(placed(place, context.refuse(trouble).problem)),
            refusal_id: None,
        },
    }
}

/// The problem of one task of several: its faults stand where that task stands in the body.
fn placed(place: usize, mut problem: wire::Problem) -> wire::Problem {
    for fault in problem.errors.iter_mut().flatten() {
        if fault.pointer.starts_with('/') {
            fault.pointer = format!("/tasks/{place}{}", fault.pointer);
        }
    }
    problem
}

fn count(tasks: usize) -> u32 {
    u32::try_from(tasks).unwrap_or(u32::MAX)
}
