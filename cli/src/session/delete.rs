//! `orch session delete`.

use uuid::Uuid;

use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Tone,
};

/// End a session; its tasks that are accepted already run on
///
/// The server answers without a document, so standard output stays empty.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the session
    #[arg(value_name = "SESSION", value_parser = ids::session)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        context.client.session_delete(&self.id).await?;
        context
            .out
            .say(Tone::Plain, &format!("session {} is gone", self.id));
        Ok(Exit::Done)
    }
}
