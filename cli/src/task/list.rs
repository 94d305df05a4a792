//! `orch task list`.

use api_client::types::{Task, TaskPage, TaskStateFilter};
use uuid::Uuid;

use super::describe::{state, took};
use crate::{
    classes,
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::{Cell, Clock, Page, Tone, ago},
    request::one_of,
};

/// List tasks, newest first
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tasks in this state
    #[arg(long, value_parser = one_of(TaskStateFilter::ALL, TaskStateFilter::as_str))]
    state: Option<TaskStateFilter>,
    /// Only tasks of this class
    #[arg(long, value_name = "NAME", value_parser = classes::name)]
    priority: Option<String>,
    /// Only tasks of this session
    #[arg(long, value_name = "UUID", value_parser = ids::session)]
    session: Option<Uuid>,
    /// Only tasks of this project
    #[arg(long, value_name = "UUID", value_parser = ids::project)]
    project: Option<Uuid>,
    /// Most tasks to list, up to 200 [default: 50]
    #[arg(short, long, value_name = "COUNT")]
    limit: Option<u32>,
    /// Go on after the list that named this cursor
    #[arg(long)]
    cursor: Option<String>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let Self {
            state,
            priority,
            session,
            project,
            limit,
            cursor,
        } = self;
        let found = context
            .client
            .task_list(
                cursor.as_deref(),
                limit,
                priority.as_deref(),
                project.as_ref(),
                session.as_ref(),
                state,
            )
            .await?
            .into_body();
        context
            .out
            .show(&found, |page| describe(&found, Clock::read(), page))?;
        if found.tasks.is_empty() {
            context.out.say(Tone::Dim, "no tasks");
        }
        if let Some(cursor) = &found.next_cursor {
            context
                .out
                .say(Tone::Dim, &format!("there are more: --cursor {cursor}"));
        }
        Ok(Exit::Done)
    }
}

fn describe(found: &TaskPage, clock: Clock, page: &mut Page) {
    let row = |task: &Task| {
        [
            task.task_id.to_string().into(),
            state(&task.state),
            task.priority.to_string().into(),
            task.stream_position.into(),
            ago(clock, task.created_at_ms).into(),
            Cell::maybe(took(task)),
            Cell::maybe(task.replica.as_ref()),
            Cell::new(
                Tone::Bad,
                task.error.as_ref().map_or("", |error| error.code.as_str()),
            ),
        ]
    };
    if !found.tasks.is_empty() {
        let heading = [
            "TASK", "STATE", "PRIORITY", "TOKENS", "CREATED", "TOOK", "REPLICA", "FAULT",
        ];
        page.table(heading, found.tasks.iter().map(row).collect());
    }
}
