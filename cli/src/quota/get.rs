//! `orch quota get`.

use super::{describe::describe, whose::Whose};
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::Clock,
};

/// Show the quota of a tenant or of a key, and what is used of it
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    whose: Whose,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let (kind, id) = self.whose.path();
        let quota = context.client.quota_get(kind, id).await?.into_body();
        context
            .out
            .show(&quota, |page| describe(&quota, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}
