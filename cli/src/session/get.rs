//! `orch session get`.

use api_client::types::Session;
use uuid::Uuid;

use crate::{
    context::{Context, Outcome},
    exit::Exit,
    ids,
    output::{Cell, Page, counted, span},
};

/// Show a session: its turns, its remaining life, the replica it prefers
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the session
    #[arg(value_name = "SESSION", value_parser = ids::session)]
    id: Uuid,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let session = context.client.session_get(&self.id).await?.into_body();
        context
            .out
            .show(&session, |page| describe(&session, page))?;
        Ok(Exit::Done)
    }
}

fn describe(session: &Session, page: &mut Page) {
    let Session {
        session_id,
        turns,
        turns_max,
        ttl_ms_remaining,
        replica,
        kv_bytes,
        kv_warmth,
        tokens_budget_remaining,
        time_budget_remaining_ms,
        cost_budget_remaining_micros,
        tokens_spent,
        time_spent_ms,
        cost_spent_micros,
    } = session;
    let bytes = counted(*kv_bytes, "byte");
    let cache = match kv_warmth {
        true => format!("{bytes}, would be reused"),
        false => format!("{bytes}, would not be reused"),
    };
    page.fields([
        ("session", session_id.to_string().into()),
        ("turns", format!("{turns} of {turns_max}").into()),
        (
            "expires in",
            format!("{} if no task comes", span(*ttl_ms_remaining)).into(),
        ),
        ("replica", Cell::maybe(replica.as_ref())),
        ("cache", cache.into()),
        (
            "tokens",
            used(
                counted(*tokens_spent, "token"),
                tokens_budget_remaining.map(|left| left.to_string()),
            )
            .into(),
        ),
        (
            "time",
            used(span(*time_spent_ms), time_budget_remaining_ms.map(span)).into(),
        ),
        (
            "cost",
            used(
                format!("{cost_spent_micros} micros"),
                cost_budget_remaining_micros.map(|left| left.to_string()),
            )
            .into(),
        ),
    ]);
}

/// What was used of a budget, and what is left of it.
fn used(spent: String, left: Option<String>) -> String {
    match left {
        Some(left) => format!("{spent} used, {left} left"),
        None => format!("{spent} used, no budget"),
    }
}
