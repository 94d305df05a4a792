//! The loop that follows a stream.

use std::time::Duration;

use api_client::{
    ClientEvent, EventReader,
    types::{FinishReason, StreamEnd, TaskStreamEvent},
};
use tokio::time::sleep;
use uuid::Uuid;

use super::Sink;
use crate::{
    context::{Context, Outcome},
    error::Failure,
    exit::Exit,
    interrupt::Interrupt,
};

/// Silence after which it is looked at whether the connection is lost.
const SILENCE: Duration = Duration::from_secs(1);

/// What Ctrl-C means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnInterrupt {
    /// Cancel the task, and follow it to its end.
    Cancel,
    /// Go away.
    Leave,
}

/// A stream that is being followed.
struct Follow<'a> {
    context: &'a Context,
    task: Uuid,
    reader: EventReader<TaskStreamEvent>,
    sink: &'a mut Sink,
    on_interrupt: OnInterrupt,
    /// Ctrl-C was pressed.
    interrupted: bool,
    /// The connection was known to be good, and nothing was said yet about its loss.
    trusted: bool,
}

/// Passes the events of a task on until the last one, through any loss of the connection.
///
/// # Errors
///
/// If the task failed, the stream cannot go on, the task cannot be cancelled, or standard output takes no more.
pub(crate) async fn follow(
    context: &Context,
    (task, last_event_id): (Uuid, Option<&str>),
    sink: &mut Sink,
    interrupt: &mut Interrupt,
    on_interrupt: OnInterrupt,
) -> Outcome {
    let mut follow = Follow {
        context,
        task,
        reader: context.client.task_stream(&task, last_event_id),
        sink,
        on_interrupt,
        interrupted: false,
        trusted: false,
    };
    let outcome = follow.run_out(interrupt).await;
    // Whatever happened, a prompt or a report of the failure begins on a fresh line.
    let closed = follow.sink.close();
    let exit = outcome?;
    closed?;
    Ok(exit)
}

impl Follow<'_> {
    async fn run_out(&mut self, interrupt: &mut Interrupt) -> Outcome {
        loop {
            tokio::select! {
                event = self.reader.next() => match event {
                    Some(event) => {
                        if let Some(exit) = self.take(event?)? {
                            return Ok(exit);
                        }
                    }
                    None => {
                        self.sink.notice("the task has ended, and nothing is left to read");
                        return Ok(Exit::Done);
                    }
                },
                () = interrupt.first(), if !self.interrupted => {
                    self.interrupted = true;
                    match self.on_interrupt {
                        OnInterrupt::Cancel => self.cancel().await?,
                        OnInterrupt::Leave => {
                            self.sink.notice(&format!("left; `orch task cancel {}` would cancel the task", self.task));
                            return Ok(Exit::Interrupted);
                        }
                    }
                }
                // Giving a read up loses nothing, but giving a pause or a connect up begins it anew. So this
                // looks only while the connection was good, and at most once after it was lost.
                () = sleep(SILENCE), if self.trusted => {
                    if self.reader.failures() > 0 {
                        self.trusted = false;
                        self.sink.notice("the connection is lost; trying to come back");
                    }
                }
            }
        }
    }

    /// Passes one event on; says how to end if it was the last.
    fn take(&mut self, event: ClientEvent<TaskStreamEvent>) -> Result<Option<Exit>, Failure> {
        self.trusted = true;
        self.sink.event(&event)?;
        match event.event {
            TaskStreamEvent::End(end) => Ok(Some(self.exit_of(&end))),
            TaskStreamEvent::Error(problem) => Err(Failure::Task(Box::new(problem))),
            TaskStreamEvent::Started(_)
            | TaskStreamEvent::Token(_)
            | TaskStreamEvent::Metrics(_)
            | TaskStreamEvent::Unknown(_) => Ok(None),
        }
    }

    fn exit_of(&self, end: &StreamEnd) -> Exit {
        match end.finish_reason {
            FinishReason::Cancelled if self.interrupted => Exit::Interrupted,
            FinishReason::Cancelled => Exit::TaskFailed,
            FinishReason::Length | FinishReason::Stop | FinishReason::Unknown(_) => Exit::Done,
        }
    }

    async fn cancel(&mut self) -> Result<(), Failure> {
        self.sink.notice(&format!(
            "cancelling task {}; Ctrl-C again leaves at once",
            self.task
        ));
        let reply = self.context.client.task_cancel(&self.task).await;
        if reply.is_err() {
            self.sink.notice("the task is not cancelled");
        }
        reply.map(drop).map_err(Failure::Api)
    }
}
