//! `orch key rotate`.

use api_client::types::KeyRotateRequest;

use super::describe::show_created;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids, times,
};

/// Put a new key in the place of one, and print it, once
///
/// The new key is allowed to the same. Only the key goes to standard output.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the key that ends
    #[arg(value_name = "KEY", value_parser = ids::key)]
    id: String,
    /// How long the old key goes on, such as 12h; 0 ends it at once
    #[arg(long, value_name = "TIME", value_parser = times::length, default_value = "0")]
    grace: u64,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let request = KeyRotateRequest::new(self.grace);
        let created = context.client.key_rotate(&self.id, &request).await?;
        show_created(context, &created.into_body())?;
        Ok(Exit::Done)
    }
}
