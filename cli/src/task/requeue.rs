//! `orch task requeue`.

use api_client::types::{BulkAction, Task, TaskState};
use uuid::Uuid;

use super::{bulk, describe};
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Page,
};

/// Let a parked task run again, or all that fit; one that is on its way stays as it is
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
            return self.many.perform(context, BulkAction::Requeue).await;
        };
        let task = context.client.task_requeue(&id).await?.into_body();
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
