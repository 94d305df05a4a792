//! The verbs of `orch task`.

use super::{cancel, create, create_batch, get, list, requeue, result, stream, why};
use crate::context::{Context, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    Create(Box<create::Args>),
    CreateBatch(create_batch::Args),
    List(list::Args),
    Get(get::Args),
    Why(why::Args),
    Cancel(cancel::Args),
    Requeue(requeue::Args),
    Stream(stream::Args),
    Result(result::Args),
}

impl Verb {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        match self {
            Self::Create(args) => args.perform(context).await,
            Self::CreateBatch(args) => args.perform(context).await,
            Self::List(args) => args.perform(context).await,
            Self::Get(args) => args.perform(context).await,
            Self::Why(args) => args.perform(context).await,
            Self::Cancel(args) => args.perform(context).await,
            Self::Requeue(args) => args.perform(context).await,
            Self::Stream(args) => args.perform(context).await,
            Self::Result(args) => args.perform(context).await,
        }
    }
}
