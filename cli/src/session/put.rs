//! `orch session put`.

use api_client::types::{SessionBudgetRequest, SessionPutRequest};
use uuid::Uuid;

use super::describe::describe;
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::Clock,
    times,
};

/// Say what a session may use and how long it lives; makes it if there is none
///
/// Takes the place of all that was said before: what is not given is not limited, or as configured. What the session has
/// used stays used, and tasks that are accepted already run on.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the session, one of your own making for a new one
    #[arg(value_name = "SESSION", value_parser = ids::session)]
    id: Uuid,
    /// Most tokens
    #[arg(long, value_name = "TOKENS")]
    tokens: Option<u64>,
    /// Longest time that its attempts may hold slots together, such as `90s`, `15m`
    #[arg(long, value_name = "TIME", value_parser = times::length)]
    time: Option<u64>,
    /// Most money, in millionths of its unit
    #[arg(long, value_name = "MICROS")]
    cost: Option<u64>,
    /// How long it lives without a task, such as `1h` [default: as configured]
    #[arg(long, value_name = "TIME", value_parser = times::length)]
    ttl: Option<u64>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let Self {
            id,
            tokens,
            time,
            cost,
            ttl,
        } = self;
        let budget = SessionBudgetRequest {
            tokens,
            time_ms: time,
            cost_micros: cost,
        };
        let request = SessionPutRequest {
            budget: Some(budget).filter(|it| *it != Default::default()),
            ttl_ms: ttl,
        };
        let session = context.client.session_put(&id, &request).await?.into_body();
        context
            .out
            .show(&session, |page| describe(&session, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}
