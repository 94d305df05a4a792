//! `orch key revoke`.

use super::describe::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Clock,
};

/// End a key; from the answer on nobody is let in with it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the key, the part between its underscores
    #[arg(value_name = "KEY", value_parser = ids::key)]
    id: String,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let key = context.client.key_revoke(&self.id).await?.into_body();
        context
            .out
            .show(&key, |page| describe(&key, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}
