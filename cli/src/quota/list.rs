//! `orch quota list`.

use api_client::types::{Quota, QuotaPage};

use super::describe::{of_limit, requests, tokens};
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Cell, Page, Tone},
};

/// List the quotas that somebody has put
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Most quotas to list, up to 200 [default: 50]
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
            .quota_list(cursor.as_deref(), limit)
            .await?
            .into_body();
        context.out.show(&found, |page| describe(&found, page))?;
        if found.quotas.is_empty() {
            context.out.say(Tone::Dim, "no quotas");
        }
        if let Some(cursor) = &found.next_cursor {
            context
                .out
                .say(Tone::Dim, &format!("there are more: --cursor {cursor}"));
        }
        Ok(Exit::Done)
    }
}

fn describe(found: &QuotaPage, page: &mut Page) {
    let row = |quota: &Quota| {
        let used = &quota.used;
        [
            format!("{} {}", quota.kind, quota.id).into(),
            of_limit(used.tasks_live, quota.tasks_live_max.map(u64::from)).into(),
            requests(quota).into(),
            tokens(quota).into(),
            of_limit(used.kv_mb_reserved.unwrap_or(0), quota.kv_mb_max).into(),
            Cell::maybe(quota.weight),
        ]
    };
    if !found.quotas.is_empty() {
        let heading = [
            "WHOSE",
            "LIVE TASKS",
            "REQUESTS",
            "TOKENS",
            "CACHE MB",
            "WEIGHT",
        ];
        page.table(heading, found.quotas.iter().map(row).collect());
    }
}
