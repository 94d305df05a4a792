//! `orch queue pause` and `orch queue resume`.

use api_client::types::{QueueSwitch, QueueSwitchRequest};

use super::get::{stands, whose};
use crate::{
    context::{Context, Outcome},
    error::Failure,
    exit::Exit,
    output::{Cell, Clock, ago},
};

/// Hold the queue of a pool, or of all: it accepts tasks and dispatches none
///
/// What runs goes on. It stays so over restarts, until it is resumed.
#[derive(clap::Args)]
pub(crate) struct PauseArgs {
    /// Name of the pool [default: all]
    pool: Option<String>,
}

/// Let the queue of a pool go on, or that of all
///
/// A pool that was paused by its name stays so when all are resumed.
#[derive(clap::Args)]
pub(crate) struct ResumeArgs {
    /// Name of the pool [default: all]
    pool: Option<String>,
}

impl PauseArgs {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let request = request(self.pool);
        let switch = context.client.queue_pause(&request).await?.into_body();
        show(context, &switch)?;
        Ok(Exit::Done)
    }
}

impl ResumeArgs {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let request = request(self.pool);
        let switch = context.client.queue_resume(&request).await?.into_body();
        show(context, &switch)?;
        Ok(Exit::Done)
    }
}

fn request(pool: Option<String>) -> QueueSwitchRequest {
    QueueSwitchRequest { pool }
}

fn show(context: &Context, switch: &QueueSwitch) -> Result<(), Failure> {
    Ok(context.out.show(switch, |page| {
        page.fields([
            ("queue of", whose(switch).into()),
            ("stands", stands(switch).into()),
            ("since", ago(Clock::read(), switch.since_ms).into()),
            ("by", Cell::maybe(switch.by.as_ref())),
        ]);
    })?)
}
