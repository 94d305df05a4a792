//! The loop that follows a stream.

use api_client::{
    ApiError, ClientEvent, EventReader, Turn,
    types::{FinishReason, StreamEnd, TaskStreamEvent},
};
use uuid::Uuid;

use super::Sink;
use crate::{
    context::{Context, Outcome},
    error::Failure,
    exit::Exit,
    interrupt::Interrupt,
};

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
    /// It was said that the connection is lost, and no event has come since.
    told_of_loss: bool,
}

/// Passes the events of a task on until the last one, through any loss of the connection that the reader
/// bears.
///
/// # Errors
///
/// If the task failed, the stream cannot go on, the task cannot be cancelled, or standard output takes no more.
pub(crate) async fn follow(
    context: &Context,
    (task, reader): (Uuid, EventReader<TaskStreamEvent>),
    sink: &mut Sink,
    interrupt: &mut Interrupt,
    on_interrupt: OnInterrupt,
) -> Outcome {
    let mut follow = Follow {
        context,
        task,
        reader,
        sink,
        on_interrupt,
        interrupted: false,
        told_of_loss: false,
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
                turn = self.reader.turn() => match turn {
                    Some(Ok(Turn::Event(event))) => {
                        if let Some(exit) = self.take(event)? {
                            return Ok(exit);
                        }
                    }
                    Some(Ok(Turn::Lost { failures, error })) => self.tell_of_loss(failures, &error),
                    Some(Err(error)) => return Err(self.given_up(error)),
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
            }
        }
    }

    /// Says once for each loss that it will take a while. A stream that breaks off and is there again at the
    /// first try is not worth a word.
    fn tell_of_loss(&mut self, failures: u32, error: &ApiError) {
        let broke_off = matches!(error, ApiError::Interrupted { .. });
        if !self.told_of_loss && (failures > 1 || !broke_off) {
            self.told_of_loss = true;
            self.sink.notice("the connection is lost; trying again");
        }
    }

    /// What the end of all tries means.
    fn given_up(&self, error: ApiError) -> Failure {
        // Who may cancel the task has made it, so that there was a server.
        let was_there = self.reader.opened() || self.on_interrupt == OnInterrupt::Cancel;
        match &error {
            // The server's last word about the task or the place in its text.
            ApiError::Problem { problem, .. } if !problem.retriable => Failure::Api(error),
            _ if was_there => Failure::Lost {
                task: self.task,
                last_event_id: self.reader.last_event_id().map(str::to_owned),
                error,
            },
            _ => Failure::Api(error),
        }
    }

    /// Passes one event on; says how to end if it was the last.
    fn take(&mut self, event: ClientEvent<TaskStreamEvent>) -> Result<Option<Exit>, Failure> {
        self.told_of_loss = false;
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
