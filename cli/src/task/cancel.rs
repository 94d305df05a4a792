//! `orch task cancel`.

use api_client::types::{BulkAction, Task, TaskState};
use uuid::Uuid;

use super::{bulk, describe};
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Page,
};

/// Cancel a task, or all that fit; one that has ended stays as it is
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the task
    #[arg(value_name = "TASK", value_parser = ids::task, required_unless_present = "all", conflicts_with = "all")]
    id: Option<Uuid>,
    #[command(flatten)]
    many: bulk::Flags,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let Some(id) = self.id else {
            return self.many.perform(context, BulkAction::Cancel).await;
        };
        let task = context.client.task_cancel(&id).await?.into_body();
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
