//! The verbs of `orch queue`.

use super::{get, switch};
use crate::context::{Context, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    Get(get::Args),
    Pause(switch::PauseArgs),
    Resume(switch::ResumeArgs),
}

impl Verb {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        match self {
            Self::Get(args) => args.perform(context).await,
            Self::Pause(args) => args.perform(context).await,
            Self::Resume(args) => args.perform(context).await,
        }
    }
}
