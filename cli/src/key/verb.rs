//! The verbs of `orch key`.

use super::{create, list, revoke, rotate};
use crate::context::{Context, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    Create(create::Args),
    List(list::Args),
    Revoke(revoke::Args),
    Rotate(rotate::Args),
}

impl Verb {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        match self {
            Self::Create(args) => args.perform(context).await,
            Self::List(args) => args.perform(context).await,
            Self::Revoke(args) => args.perform(context).await,
            Self::Rotate(args) => args.perform(context).await,
        }
    }
}
