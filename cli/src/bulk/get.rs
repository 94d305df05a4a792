//! `orch bulk get`.

use uuid::Uuid;

use super::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Clock,
};

/// Show how far a bulk has come: what it does, to which tasks, and what it has met
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the bulk
    #[arg(value_name = "BULK", value_parser = ids::bulk)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let bulk = context.client.bulk_get(&self.id).await?.into_body();
        context
            .out
            .show(&bulk, |page| describe(&bulk, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}
