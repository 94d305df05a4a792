//! The verbs of `orch bulk`.

use super::get;
use crate::context::{Context, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    Get(get::Args),
}

impl Verb {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        match self {
            Self::Get(args) => args.perform(context).await,
        }
    }
}
