//! `orch key list`.

use api_client::types::{Key, KeyPage};

use super::describe::{expires, scopes, state};
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Clock, Page, Tone, ago},
};

/// List the keys of every tenant, newest first; never the keys themselves
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only keys of this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Most keys to list, up to 200 [default: 50]
    #[arg(short, long, value_name = "COUNT")]
    limit: Option<u32>,
    /// Go on after the list that named this cursor
    #[arg(long)]
    cursor: Option<String>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let Self {
            tenant,
            limit,
            cursor,
        } = self;
        let found = context
            .client
            .key_list(cursor.as_deref(), limit, tenant.as_deref())
            .await?
            .into_body();
        context
            .out
            .show(&found, |page| describe(&found, Clock::read(), page))?;
        if found.keys.is_empty() {
            context.out.say(Tone::Dim, "no keys");
        }
        if let Some(cursor) = &found.next_cursor {
            context
                .out
                .say(Tone::Dim, &format!("there are more: --cursor {cursor}"));
        }
        Ok(Exit::Done)
    }
}

fn describe(found: &KeyPage, clock: Clock, page: &mut Page) {
    let row = |key: &Key| {
        [
            key.key_id.as_str().into(),
            state(key),
            key.tenant.as_str().into(),
            scopes(&key.scopes).into(),
            ago(clock, key.created_at_ms).into(),
            expires(key.expires_at_ms, clock).into(),
            key.name.as_str().into(),
        ]
    };
    if !found.keys.is_empty() {
        let heading = [
            "KEY", "STATE", "TENANT", "SCOPES", "CREATED", "EXPIRES", "NAME",
        ];
        page.table(heading, found.keys.iter().map(row).collect());
    }
}
