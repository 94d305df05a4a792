//! `orch task why`.

use api_client::{
    ApiError,
    types::{ProblemCode, Task},
};
use uuid::Uuid;

use super::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Clock, Page},
    refusal,
};

/// Say why a task stands where it stands, or why it was refused: what is in its way, and what placement
/// thinks of each replica
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the task, or correlation id of the reply that refused it
    #[arg(value_name = "ID")]
    id: String,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        match self.task(context).await? {
            Some(task) => context.out.show(&task, |page| describe(&task, page))?,
            None => {
                let found = context.client.refusal_get(&self.id).await?.into_body();
                context.out.show(&found, |page| {
                    refusal::describe(&found, Clock::read(), page)
                })?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Args {
    /// The task of this id, if there is one.
    async fn task(&self, context: &Context) -> Result<Option<Task>, ApiError> {
        let Ok(id) = Uuid::try_parse(&self.id) else {
            return Ok(None);
        };
        match context.client.task_get(&id).await {
            Ok(task) => Ok(Some(task.into_body())),
            Err(error) if of_nothing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn of_nothing(error: &ApiError) -> bool {
    error
        .problem()
        .is_some_and(|problem| problem.code == ProblemCode::NotFound)
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
