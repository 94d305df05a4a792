//! The verbs of `orch session`.

use super::{delete, get};
use crate::context::{Context, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    Get(get::Args),
    Delete(delete::Args),
}

impl Verb {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        match self {
            Self::Get(args) => args.perform(context).await,
            Self::Delete(args) => args.perform(context).await,
        }
    }
}
