//! `orch run`: hand a task over and follow it.

use std::{path::PathBuf, pin::pin};

use crate::{
    context::{Context, Outcome},
    error::Failure,
    exit::Exit,
    interrupt::Interrupt,
    output::{Format, Output, Tone},
    own::{self, Daemon, ModelFile},
    request::{self, NewTask, TaskFlags},
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
/// With a GGUF file of yours, `orch run --model my.gguf "…"`, nothing has to run before: a daemon is started for this
/// run alone, and ends with it. It computes on the CPU, and how fast that was is said at the end. A path that ends
/// in .gguf, begins with / or ./ or names a file in a folder is a file; else, and always with --server, it is a
/// model that the daemon knows.
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
    /// The file that `--model` names, if it names one. Of a server that the command line names it is always the
    /// name of a model.
    pub(crate) fn model_file(&self, server: Option<&str>) -> Option<PathBuf> {
        match server {
            Some(_) => None,
            None => self.task.model().and_then(own::named_file),
        }
    }

    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let task = self.task.into_request()?;
        let mut interrupt = Interrupt::listen().map_err(Failure::Runtime)?;
        if !self.detach {
            let nothing = std::future::pending();
            return follow_through(context, &task, self.quiet, &mut interrupt, nothing).await;
        }
        let accepted = hand_over(context, &task, &mut interrupt).await?;
        let mut sink = Sink::new(context.out, accepted.created.task_id, self.quiet);
        detach(context, &accepted, &mut sink)
    }

    /// Runs the task on a daemon of its own, which loads the model from a file.
    pub(crate) async fn perform_with(self, file: PathBuf, out: Output) -> Outcome {
        if self.detach {
            return Err(Failure::Usage(
                "a daemon that is started for a model file ends with this run, so that --detach would leave the task to nobody".to_owned(),
            ));
        }
        let model = ModelFile::find(file)?;
        let mut task = self.task.into_request()?;
        task.request.model_ref = None;
        let mut interrupt = Interrupt::listen().map_err(Failure::Runtime)?;
        let mut daemon = Daemon::start(&model, task.request.ctx)?;
        let own = Own {
            model,
            task,
            quiet: self.quiet,
            out,
        };
        let outcome = own.run_on(&mut daemon, &mut interrupt).await;
        daemon.end().await;
        outcome
    }
}

/// A run on a daemon of its own.
struct Own {
    model: ModelFile,
    task: NewTask,
    quiet: bool,
    out: Output,
}

impl Own {
    async fn run_on(&self, daemon: &mut Daemon, interrupt: &mut Interrupt) -> Outcome {
        let context = tokio::select! {
            context = self.until_ready(daemon) => context?,
            () = interrupt.first() => return Ok(Exit::Interrupted),
        };
        let broken = daemon.broken();
        let outcome =
            match follow_through(&context, &self.task, self.quiet, interrupt, broken).await {
                // The task ends with its daemon, accepted or not.
                Err(Failure::Left { .. }) => Ok(Exit::Interrupted),
                outcome => outcome,
            };
        if let (Ok(Exit::Done), Some(task)) = (&outcome, &self.task.request.task_id)
            && let Ok(result) = context.client.task_result(task).await
            && let Some(measured) = own::measured(&result)
        {
            self.say(&measured);
        }
        outcome
    }

    /// Waits until the model is loaded, unless the daemon ends before.
    async fn until_ready(&self, daemon: &mut Daemon) -> Result<Context, Failure> {
        let (path, size) = (self.model.path.display(), self.model.size());
        self.say(&format!(
            "starting a daemon for this run, with {path} ({size})"
        ));
        let server = daemon.listening().await?;
        let client = server.client(None)?;
        tokio::select! {
            ready = own::wait_until_ready(&client, &self.model, |said| self.say(said)) => ready?,
            failure = daemon.broken() => return Err(failure),
        }
        self.say(own::CPU_ALONE);
        Ok(Context {
            client,
            server,
            out: self.out,
        })
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            self.out.say(Tone::Dim, text);
        }
    }
}

/// Hands the task over and follows it to its end, or up to a failure that comes from elsewhere.
async fn follow_through(
    context: &Context,
    task: &NewTask,
    quiet: bool,
    interrupt: &mut Interrupt,
    elsewhere: impl Future<Output = Failure>,
) -> Outcome {
    let mut elsewhere = pin!(elsewhere);
    let accepted = tokio::select! {
        accepted = hand_over(context, task, interrupt) => accepted?,
        failure = &mut elsewhere => return Err(failure),
    };
    let task = accepted.created.task_id;
    let mut sink = Sink::new(context.out, task, quiet);
    sink.created(&accepted.created, accepted.replayed)?;
    let reader = context.client.task_stream(&task, None);
    let followed = follow(
        context,
        (task, reader),
        &mut sink,
        interrupt,
        OnInterrupt::Cancel,
    );
    let failure = tokio::select! {
        outcome = followed => return outcome,
        failure = elsewhere => failure,
    };
    sink.close()?;
    Err(failure)
}

async fn hand_over(
    context: &Context,
    task: &NewTask,
    interrupt: &mut Interrupt,
) -> Result<request::Accepted, Failure> {
    tokio::select! {
        accepted = request::submit(&context.client, task) => Ok(accepted?),
        () = interrupt.first() => Err(Failure::Left { task: task.request.task_id }),
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
