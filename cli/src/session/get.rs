//! `orch session get`.

use uuid::Uuid;

use super::describe::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Clock,
};

/// Show a session: its turns, its remaining life, the replica it prefers
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the session
    #[arg(value_name = "SESSION", value_parser = ids::session)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let session = context.client.session_get(&self.id).await?.into_body();
        context
            .out
            .show(&session, |page| describe(&session, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}
