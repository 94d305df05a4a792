//! The verbs of `orch quota`.

use super::{get, list, put};
use crate::context::{Context, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    Get(get::Args),
    List(list::Args),
    Put(put::Args),
}

impl Verb {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        match self {
            Self::Get(args) => args.perform(context).await,
            Self::List(args) => args.perform(context).await,
            Self::Put(args) => args.perform(context).await,
        }
    }
}
