//! `orch task cancel`.

use api_client::types::{Task, TaskState};
use uuid::Uuid;

use super::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Page,
};

/// Cancel a task; one that has ended stays as it is
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the task
    #[arg(value_name = "TASK", value_parser = ids::task)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let task = context.client.task_cancel(&self.id).await?.into_body();
        context.out.show(&task, |page| describe(&task, page))?;
        Ok(Exit::Done)
    }
}

fn describe(task: &Task, page: &mut Page) {
    let outcome = match &task.state {
        TaskState::Cancelled | TaskState::CancelRequested => "no token beyond these will be sent",
        _ => "it had ended before, and stays as it is",
    };
    page.fields([
        ("task", task.task_id.to_string().into()),
        ("state", describe::state(&task.state)),
        ("tokens", task.stream_position.into()),
    ]);
    page.line(outcome);
}
