//! `orch task result`.

use api_client::types::{TaskResult, TaskState};
use uuid::Uuid;

use super::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::{Cell, Page, span},
};

/// Show what came of a task: the text, why it ended, and where the time went
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the task
    #[arg(value_name = "TASK", value_parser = ids::task)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let result = context.client.task_result(&self.id).await?.into_body();
        context.out.show(&result, |page| describe(&result, page))?;
        Ok(Exit::Done)
    }
}

fn describe(result: &TaskResult, page: &mut Page) {
    let mut fields = vec![
        ("task", result.task_id.to_string().into()),
        ("state", describe::state(&result.state)),
    ];
    let mut known =
        |name, value: Option<String>| fields.extend(value.map(|value| (name, Cell::from(value))));
    known(
        "finished",
        result.finish_reason.as_ref().map(ToString::to_string),
    );
    known("tokens in", result.tokens_in.map(|count| count.to_string()));
    known(
        "tokens out",
        result.tokens_out.map(|count| count.to_string()),
    );
    known("attempts", Some(result.attempts.to_string()));
    known("seed", Some(result.seed.to_string()));
    known("engine", result.engine_version.clone());
    known("model", result.model_digest.clone());
    known("queued for", result.timings.queue_ms.map(span));
    known("first token", result.timings.first_token_ms.map(span));
    known("decoded for", result.timings.decode_ms.map(span));
    known("took", result.timings.total_ms.map(span));
    page.pairs(fields);
    page.gap();
    match (&result.text, &result.error, &result.state) {
        (Some(text), ..) => text.lines().for_each(|line| page.line(line)),
        (None, Some(error), _) => describe::failure(error, page),
        (None, None, TaskState::Parked) => {
            page.line("parked: `orch task why` says why, `orch task requeue` lets it run again")
        }
        (None, None, _) => page.line("no result yet: `orch task stream` follows it to its end"),
    }
}
