//! `orch refusal list`.

use api_client::types::{Refusal, RefusalPage};

use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Cell, Clock, Page, Tone, ago, span},
};

/// List the tasks of yours that were turned away, newest first
///
/// Refusals are kept for a while only, and not beyond the end of the daemon. `orch refusal get` says more of one.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Most refusals to list, up to 200 [default: 50]
    #[arg(short, long, value_name = "COUNT")]
    limit: Option<u32>,
    /// Go on after the list that named this cursor
    #[arg(long)]
    cursor: Option<String>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let Self { limit, cursor } = self;
        let found = context
            .client
            .refusal_list(cursor.as_deref(), limit)
            .await?
            .into_body();
        context
            .out
            .show(&found, |page| describe(&found, Clock::read(), page))?;
        if found.refusals.is_empty() {
            context.out.say(Tone::Dim, "no refusals");
        }
        if let Some(cursor) = &found.next_cursor {
            context
                .out
                .say(Tone::Dim, &format!("there are more: --cursor {cursor}"));
        }
        Ok(Exit::Done)
    }
}

fn describe(found: &RefusalPage, clock: Clock, page: &mut Page) {
    let row = |refusal: &Refusal| {
        [
            refusal.refusal_id.to_string().into(),
            ago(clock, refusal.refused_at_ms).into(),
            Cell::new(Tone::Bad, refusal.code.as_str()),
            refusal.blocked_by.to_string().into(),
            refusal.priority.to_string().into(),
            Cell::maybe(refusal.retry_after_ms.map(span)),
            Cell::maybe(refusal.task_id),
        ]
    };
    if !found.refusals.is_empty() {
        let heading = [
            "REFUSAL",
            "REFUSED",
            "CODE",
            "BLOCKED BY",
            "PRIORITY",
            "RETRY AFTER",
            "TASK",
        ];
        page.table(heading, found.refusals.iter().map(row).collect());
    }
}
