//! `orch task create`.

use api_client::types::TaskCreated;

use super::describe::state;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Page, Tone, soon_within},
    request::{self, TaskFlags},
};

/// Hand a task over, and do not wait for it
///
/// `orch run` does the same and then streams the text.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    task: TaskFlags,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let task = self.task.into_request()?;
        let accepted = request::submit(&context.client, &task).await?;
        if accepted.replayed {
            context.out.say(
                Tone::Dim,
                "this is the answer to an earlier request with the same id or key",
            );
        }
        context
            .out
            .show(&accepted.created, |page| describe(&accepted.created, page))?;
        Ok(Exit::Done)
    }
}

fn describe(created: &TaskCreated, page: &mut Page) {
    let TaskCreated {
        task_id,
        correlation_id,
        state: now,
        queue_position,
        predicted_start_ms,
        predicted_start_low_ms,
        predicted_start_high_ms,
        priority,
        seed,
    } = created;
    page.fields([
        ("task", task_id.to_string().into()),
        ("state", state(now)),
        ("priority", priority.to_string().into()),
        ("tasks ahead", (*queue_position).into()),
        (
            "starts",
            soon_within(
                *predicted_start_ms,
                *predicted_start_low_ms,
                *predicted_start_high_ms,
            )
            .into(),
        ),
        ("seed", (*seed).into()),
        ("correlation", correlation_id.clone().into()),
    ]);
}
