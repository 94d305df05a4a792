//! The verbs of `orch refusal`.

use super::{get, list};
use crate::context::{Context, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    Get(get::Args),
    List(list::Args),
}

impl Verb {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        match self {
            Self::Get(args) => args.perform(context).await,
            Self::List(args) => args.perform(context).await,
        }
    }
}
