//! `orch task why`.

use api_client::types::Task;
use uuid::Uuid;

use super::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Page,
};

/// Say why a task stands where it stands: what it waits for, and what placement thinks of each replica
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the task
    #[arg(value_name = "TASK", value_parser = ids::task)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let task = context.client.task_get(&self.id).await?.into_body();
        context.out.show(&task, |page| describe(&task, page))?;
        Ok(Exit::Done)
    }
}

fn describe(task: &Task, page: &mut Page) {
    page.fields([
        ("task", task.task_id.to_string().into()),
        ("state", describe::state(&task.state)),
    ]);
    page.gap();
    match (&task.why, &task.error) {
        (Some(why), _) => describe::why(why, page),
        (None, Some(error)) => describe::failure(error, page),
        (None, None) => page.line(format!("nothing more to explain: it is {}", task.state)),
    }
}
