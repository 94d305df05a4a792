//! `orch task requeue`.

use api_client::types::{Task, TaskState};
use uuid::Uuid;

use super::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Page,
};

/// Let a parked task run again; one that is on its way stays as it is
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the task
    #[arg(value_name = "TASK", value_parser = ids::task)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let task = context.client.task_requeue(&self.id).await?.into_body();
        context.out.show(&task, |page| describe(&task, page))?;
        Ok(Exit::Done)
    }
}

fn describe(task: &Task, page: &mut Page) {
    page.fields([
        ("task", task.task_id.to_string().into()),
        ("state", describe::state(&task.state)),
        ("attempts", task.attempts.into()),
    ]);
    page.line(match &task.state {
        TaskState::Queued => "it waits for its turn; `orch task stream` follows it",
        _ => "`orch task why` says how it stands",
    });
}
