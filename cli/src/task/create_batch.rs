//! `orch task create-batch`.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use api_client::types::{TaskBatch, TaskBatchItem, TaskBatchRequest, TaskCreateRequest};
use uuid::Uuid;

use super::describe::state;
use crate::{
    context::{Context, Outcome},
    error::Failure,
    exit::Exit,
    output::{Cell, Page, Tone, counted},
    request,
};

/// Most tasks of one request, and most bytes of their lines: both are bounds of the contract.
const TASKS_MAX: usize = 1_000;
const BYTES_MAX: usize = 12 << 20;

/// Hand many tasks over at once, and do not wait for them
///
/// Each line of the file is one task: the JSON object that `POST /v1/tasks` takes, such as
/// `{"input": {"kind": "prompt", "prompt": "Write a haiku."}}`. Up to 1,000 tasks go in one request and are accepted in
/// one commit; more are sent in several, one after another. A task without a `task_id` gets one, so that nothing is
/// made twice where an answer is lost.
///
/// The exit status is 0 if every task was accepted, else that of the first refusal.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// File with one task a line; `-` or nothing reads standard input
    file: Option<PathBuf>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let text = read(self.file.as_deref())?;
        let mut all = TaskBatch {
            accepted: 0,
            refused: 0,
            items: Vec::new(),
        };
        for request in requests(&text)? {
            let found = request::submit_batch(&context.client, &request).await?;
            all.accepted += found.accepted;
            all.refused += found.refused;
            all.items.extend(found.items);
        }
        context.out.show(&all, |page| describe(&all, page))?;
        let sum = format!(
            "{} accepted, {} refused",
            counted(all.accepted, "task"),
            all.refused
        );
        context.out.say(Tone::Dim, &sum);
        if let Some(id) = all.items.iter().find_map(|item| item.refusal_id.as_ref()) {
            let more = format!("why in full, of the first that was refused: orch refusal get {id}");
            context.out.say(Tone::Dim, &more);
        }
        let refusal = all.items.iter().find_map(|item| item.problem.as_ref());
        Ok(refusal.map_or(Exit::Done, Exit::of_problem))
    }
}

fn read(file: Option<&Path>) -> Result<String, Failure> {
    let named = file.filter(|file| *file != Path::new("-"));
    let text = match named {
        Some(file) => fs::read_to_string(file),
        None => {
            let mut text = String::new();
            io::stdin().lock().read_to_string(&mut text).map(|_| text)
        }
    };
    text.map_err(|error| {
        let name = named.map_or_else(|| "standard input".into(), Path::to_string_lossy);
        Failure::Usage(format!("{name} cannot be read: {error}"))
    })
}

/// The requests that the lines come to, each within the bounds.
fn requests(text: &str) -> Result<Vec<TaskBatchRequest>, Failure> {
    let mut requests: Vec<TaskBatchRequest> = Vec::new();
    let mut bytes = 0;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let mut task: TaskCreateRequest = serde_json::from_str(line)
            .map_err(|error| Failure::Usage(format!("line {number} is no task: {error}")))?;
        task.task_id.get_or_insert_with(Uuid::now_v7);
        bytes += line.len();
        match requests.last_mut() {
            Some(last) if last.tasks.len() < TASKS_MAX && bytes <= BYTES_MAX => {
                last.tasks.push(task);
            }
            _ => {
                bytes = line.len();
                requests.push(TaskBatchRequest { tasks: vec![task] });
            }
        }
    }
    if requests.is_empty() {
        return Err(Failure::Usage(
            "there is no task: give one JSON object a line".to_owned(),
        ));
    }
    Ok(requests)
}

fn describe(all: &TaskBatch, page: &mut Page) {
    let rows = (1_u64..)
        .zip(&all.items)
        .map(|(number, item)| row(number, item));
    let heading = ["NO", "TASK", "STATE", "AHEAD", "FAULT", "DETAIL"];
    page.table(heading, rows.collect());
}

fn row(number: u64, item: &TaskBatchItem) -> [Cell; 6] {
    let task = item.task.as_ref();
    let problem = item.problem.as_ref();
    let again = match item.replayed {
        Some(true) => "accepted earlier",
        _ => "",
    };
    [
        number.into(),
        Cell::maybe(task.map(|task| task.task_id)),
        task.map_or_else(
            || Cell::new(Tone::Bad, "refused"),
            |task| state(&task.state),
        ),
        Cell::maybe(task.map(|task| task.queue_position)),
        Cell::new(
            Tone::Bad,
            problem.map_or("", |problem| problem.code.as_str()),
        ),
        problem
            .map_or_else(|| again.to_owned(), |problem| problem.detail.clone())
            .into(),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const LINE: &str = r#"{"input":{"kind":"prompt","prompt":"x"}}"#;

    #[test]
    fn lines_become_requests_of_at_most_a_thousand_tasks_with_ids() {
        let text = format!("{LINE}\n\n").repeat(2_500);
        let requests = requests(&text).unwrap();
        let sizes: Vec<_> = requests.iter().map(|request| request.tasks.len()).collect();
        assert_eq!(sizes, [1_000, 1_000, 500]);
        let mut ids: Vec<_> = requests
            .iter()
            .flat_map(|request| &request.tasks)
            .map(|task| task.task_id.unwrap())
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 2_500);
    }

    #[test]
    fn a_line_that_is_no_task_is_named() {
        for (text, said) in [
            (format!("{LINE}\n{{\"input\": 3}}"), "line 2 is no task"),
            ("\n".to_owned(), "there is no task"),
        ] {
            let failure = requests(&text).unwrap_err();
            assert!(matches!(failure, Failure::Usage(what) if what.contains(said)));
        }
    }
}
