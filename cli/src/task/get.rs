//! `orch task get`.

use uuid::Uuid;

use super::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Clock,
};

/// Show one task
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the task
    #[arg(value_name = "TASK", value_parser = ids::task)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let task = context.client.task_get(&self.id).await?.into_body();
        context
            .out
            .show(&task, |page| describe::task(&task, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}
