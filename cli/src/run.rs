//! `orch run`: hand a task over and follow it.

use crate::{
    context::{Context, Outcome},
    error::Failure,
    exit::Exit,
    interrupt::Interrupt,
    output::Format,
    request::{self, TaskFlags},
    watch::{OnInterrupt, Sink, follow},
};

/// Run a task and stream its text
///
/// The text goes to standard output as it comes, what happens to standard error. Ctrl-C cancels the task;
/// a second one leaves at once. If the connection is lost, even by a restart of the daemon, the stream goes
/// on where it was.
///
/// The prompt is the argument, or else standard input: `orch run < question.txt`.
///
/// With `-o json` each event is a line of JSON; the first line is the answer to the task's creation.
///
/// The exit status is 0 once the text is complete, and 1 if the task failed or somebody else cancelled it;
/// `orch --help` lists the others.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    task: TaskFlags,
    /// Only hand it over, and print its id
    #[arg(short, long)]
    detach: bool,
    /// Say nothing on standard error but errors
    #[arg(short, long)]
    quiet: bool,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let request = self.task.into_request()?;
        let mut interrupt = Interrupt::listen().map_err(Failure::Runtime)?;
        let accepted = tokio::select! {
            accepted = request::submit(&context.client, &request) => accepted?,
            () = interrupt.first() => return Err(Failure::Left { task: request.task_id.unwrap_or_default() }),
        };
        let task = accepted.created.task_id;
        let mut sink = Sink::new(context.out, task, self.quiet);
        if self.detach {
            return detach(context, &accepted, &mut sink);
        }
        sink.created(&accepted.created, accepted.replayed)?;
        let reader = context.client.task_stream(&task, None);
        follow(
            context,
            (task, reader),
            &mut sink,
            &mut interrupt,
            OnInterrupt::Cancel,
        )
        .await
    }
}

/// The id alone for scripts, or the whole answer as one document.
fn detach(context: &Context, accepted: &request::Accepted, sink: &mut Sink) -> Outcome {
    if context.out.format == Format::Table {
        sink.created(&accepted.created, accepted.replayed)?;
    }
    context.out.show(&accepted.created, |page| {
        page.line(accepted.created.task_id.to_string())
    })?;
    Ok(Exit::Done)
}
