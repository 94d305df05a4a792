//! `orch task stream`.

use uuid::Uuid;

use crate::{
    context::{Context, Outcome},
    error::Failure,
    ids,
    interrupt::Interrupt,
    watch::{OnInterrupt, Sink, follow},
};

/// Stream the text of a task, from its beginning or from after an event
///
/// It may be read any number of times, and after the task's end. Ctrl-C leaves the stream and does not
/// cancel the task. With `-o json` each event is a line of JSON, with the id to resume after it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the task
    #[arg(value_name = "TASK", value_parser = ids::task)]
    id: Uuid,
    /// Go on after this event, and only with the rest
    #[arg(long, value_name = "ID")]
    last_event_id: Option<String>,
    /// Say nothing on standard error but errors
    #[arg(short, long)]
    quiet: bool,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let mut interrupt = Interrupt::listen().map_err(Failure::Runtime)?;
        let mut sink = Sink::new(context.out, self.id, self.quiet);
        let reader = context
            .client
            .task_stream(&self.id, self.last_event_id.as_deref())
            .with_first_failure_final();
        follow(
            context,
            (self.id, reader),
            &mut sink,
            &mut interrupt,
            OnInterrupt::Leave,
        )
        .await
    }
}
