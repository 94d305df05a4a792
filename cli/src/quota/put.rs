//! `orch quota put`.

use api_client::types::QuotaPutRequest;

use super::{describe::describe, whose::Whose};
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::Clock,
};

/// Put a quota in the place of the one there is
///
/// Takes the place of all of it: a limit that is not given is no limit any more. Holds from the next task on.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    whose: Whose,
    /// Most tasks accepted and not ended
    #[arg(long, value_name = "TASKS")]
    tasks_live_max: Option<u32>,
    /// Tasks that may be handed over in a second
    #[arg(long, value_name = "TASKS")]
    requests_per_s: Option<u32>,
    /// Tasks that may be handed over at once after a rest [default: as many as in a second]
    #[arg(long, value_name = "TASKS", requires = "requests_per_s")]
    burst: Option<u32>,
    /// Tokens in a minute, those that live tasks may use included
    #[arg(long, value_name = "TOKENS")]
    tokens_per_min: Option<u64>,
    /// Most megabytes of cache that live tasks may fill
    #[arg(long, value_name = "MB")]
    kv_mb_max: Option<u64>,
    /// Share beside other tenants [default: as configured]
    #[arg(long, value_name = "WEIGHT", conflicts_with = "key")]
    weight: Option<u32>,
    /// The revision that this takes the place of; 0 if there is none [default: the one there is]
    #[arg(long, value_name = "REVISION")]
    revision: Option<u64>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let Self {
            whose,
            tasks_live_max,
            requests_per_s,
            burst,
            tokens_per_min,
            kv_mb_max,
            weight,
            revision,
        } = self;
        let (kind, id) = whose.path();
        let revision = match revision {
            Some(revision) => revision,
            None => context.client.quota_get(kind, id).await?.revision,
        };
        let request = QuotaPutRequest {
            tasks_live_max,
            requests_per_s,
            burst,
            tokens_per_min,
            kv_mb_max,
            weight,
            ..QuotaPutRequest::new(revision)
        };
        let quota = context
            .client
            .quota_put(kind, id, &request)
            .await?
            .into_body();
        context
            .out
            .show(&quota, |page| describe(&quota, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}
