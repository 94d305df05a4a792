//! Many tasks in one command: `orch task cancel --all`, `orch task requeue --all`.

use std::time::Duration;

use api_client::types::{Bulk, BulkAction, BulkFilter, BulkRequest, BulkState, BulkStateFilter};
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    bulk, classes,
    context::{Context, Outcome},
    error::Failure,
    exit::Exit,
    ids,
    output::{Clock, Tone, counted},
    request::one_of,
    times::moment,
};

const MANY: &str = "Many tasks";

/// The first wait before looking again how far it has come, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Which tasks, if not one.
#[derive(clap::Args)]
pub(super) struct Flags {
    /// Every task of yours that has not ended and fits what follows, instead of one
    #[arg(long, help_heading = MANY)]
    pub(super) all: bool,
    /// Only tasks in this state
    #[arg(long, requires = "all", conflicts_with = "id", value_parser = one_of(BulkStateFilter::ALL, BulkStateFilter::as_str), help_heading = MANY)]
    state: Option<BulkStateFilter>,
    /// Only tasks of this class
    #[arg(long, value_name = "NAME", requires = "all", conflicts_with = "id", value_parser = classes::name, help_heading = MANY)]
    priority: Option<String>,
    /// Only tasks of this session
    #[arg(long, value_name = "UUID", requires = "all", conflicts_with = "id", value_parser = ids::session, help_heading = MANY)]
    session: Option<Uuid>,
    /// Only tasks of this project
    #[arg(long, value_name = "UUID", requires = "all", conflicts_with = "id", value_parser = ids::project, help_heading = MANY)]
    project: Option<Uuid>,
    /// Only tasks accepted at this time or later, such as `2030-01-31T08:00:00Z`
    #[arg(long, value_name = "TIME", requires = "all", conflicts_with = "id", value_parser = moment, help_heading = MANY)]
    created_from: Option<u64>,
    /// Only tasks accepted before this time
    #[arg(long, value_name = "TIME", requires = "all", conflicts_with = "id", value_parser = moment, help_heading = MANY)]
    created_before: Option<u64>,
    /// Say how many tasks it would be, and change nothing
    #[arg(long, requires = "all", conflicts_with = "id", help_heading = MANY)]
    dry_run: bool,
}

impl Flags {
    /// Begins it, and waits until it is done.
    pub(super) async fn perform(self, context: &Context, action: BulkAction) -> Outcome {
        let Self {
            all: _,
            state,
            priority,
            session,
            project,
            created_from,
            created_before,
            dry_run,
        } = self;
        let request = BulkRequest {
            filter: Some(BulkFilter {
                state,
                priority,
                session_id: session,
                project_id: project,
                created_from_ms: created_from,
                created_before_ms: created_before,
            }),
            dry_run: dry_run.then_some(true),
        };
        let client = &context.client;
        let begun = match action {
            BulkAction::Requeue => client.task_requeue_bulk(&request).await?,
            _ => client.task_cancel_bulk(&request).await?,
        };
        let done = until_done(context, begun.into_body()).await?;
        context
            .out
            .show(&done, |page| bulk::describe(&done, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}

/// Looks again until it is done, since nothing streams how far it has come. On a terminal it says that, and that the
/// daemon goes on by itself.
async fn until_done(context: &Context, mut bulk: Bulk) -> Result<Bulk, Failure> {
    let (mut pause, longest) = PAUSES;
    if let (true, BulkState::Running, Some(id)) =
        (context.out.terminal_err, &bulk.state, bulk.bulk_id)
    {
        let begun = format!("bulk {id} has begun, and goes on if you leave: orch bulk get {id}");
        context.out.say(Tone::Dim, &begun);
    }
    while let (BulkState::Running, Some(id)) = (&bulk.state, bulk.bulk_id) {
        sleep(pause).await;
        pause = longest.min(pause * 2);
        bulk = context.client.bulk_get(&id).await?.into_body();
        if context.out.terminal_err && bulk.state == BulkState::Running {
            let far = format!("{} so far", counted(bulk.changed, "task"));
            context.out.say(Tone::Dim, &far);
        }
    }
    Ok(bulk)
}
