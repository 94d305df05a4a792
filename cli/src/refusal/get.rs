//! `orch refusal get`.

use super::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::Clock,
};

/// Show why a task was turned away: the figures, and the reason against each replica
///
/// Refusals are kept for a while only, and not beyond the end of the daemon.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the refusal, correlation id of the reply that refused it, or the id that the task was sent with
    #[arg(value_name = "ID")]
    id: String,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let found = context.client.refusal_get(&self.id).await?.into_body();
        context
            .out
            .show(&found, |page| describe(&found, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}
