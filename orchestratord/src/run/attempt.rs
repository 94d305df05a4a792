//! Follows one attempt from its order to its end.
//!
//! [`AttemptState`] decides what follows from what; [`Follower`] is its driver: it reads, starts, waits and
//! tells. Tokens go into the task's stream as they come, and to the owner in chunks. Whatever happens,
//! exactly one end is reported, and nothing after it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::id::AttemptId;
use orchestrator_core::time::{MonoMs, Now, WallMs};
use store::{ReadError, ReadStore};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use worker_adapter::{AttemptKey, EventStream, Generation, Runner};

use super::engine::{EngineOrder, EngineRunner};
use super::replicas::Replicas;
use crate::stream::TaskStream;

pub use report::{AttemptReport, Finished};
pub use state::{
    AttemptInput, AttemptOutput, AttemptState, CHUNK_PERIOD_MS, CHUNK_TOKENS_MAX, Durable,
    RENEW_PERIOD_MS, StartError,
};

/// Takes what an attempt tells.
pub trait Reporter: Send + Sync + 'static {
    /// Takes one report; resolves when there is room for the next.
    fn report(&self, attempt: AttemptId, report: AttemptReport) -> impl Future<Output = ()> + Send;

    /// Milliseconds since 1970, for the time to the first token.
    fn wall_ms(&self) -> u64;
}

/// What following an attempt needs.
pub struct Follower<R> {
    /// Takes the reports.
    pub reporter: Arc<R>,
    /// Has the prompt and the durable text.
    pub reads: Arc<dyn ReadStore>,
    /// Runs it.
    pub runner: EngineRunner,
    /// Knows the engines.
    pub replicas: Arc<Replicas>,
}

/// What a state has asked for and waits for.
enum Call {
    Read {
        /// The prompt, if it need not be read.
        prompt: Option<String>,
        text: bool,
    },
    Start(Box<Generation>),
}

impl<R: Reporter> Follower<R> {
    /// Runs an attempt, which has begun on the stream, to its end and reports it. Its prompt is read from the
    /// store unless it is at hand. `cancelled` turns true when it has been stopped and may not write any more.
    pub async fn follow(
        &self,
        order: AttemptOrder,
        mut prompt: Option<String>,
        stream: Arc<TaskStream>,
        mut cancelled: watch::Receiver<bool>,
    ) {
        let mut state = AttemptState::new(order, stream);
        let mut alarm = Alarm::new();
        let mut events = None;
        loop {
            let call = self.carry_out(&mut state, &mut prompt).await;
            if state.is_over() {
                return;
            }
            let input = tokio::select! {
                biased;
                () = turned(&mut cancelled) => AttemptInput::Cancelled,
                () = alarm.rings(state.next_wake()) => AttemptInput::Tick,
                input = self.await_world(state.order(), call, &mut events) => input,
            };
            let wall = WallMs(self.reporter.wall_ms());
            let mono = alarm.now();
            state.step(Now { mono, wall }, input);
        }
    }

    /// Does what the state wants done, and gives back what it waits for.
    async fn carry_out(
        &self,
        state: &mut AttemptState,
        prompt: &mut Option<String>,
    ) -> Option<Call> {
        let attempt = state.order().attempt;
        let key = AttemptKey(attempt.0);
        let mut call = None;
        while let Some(output) = state.poll() {
            match output {
                AttemptOutput::Ack(offset) => self.runner.ack(key, offset),
                AttemptOutput::Cancel => self.runner.cancel(key),
                AttemptOutput::Read { text } => {
                    let prompt = prompt.take();
                    call = Some(Call::Read { prompt, text });
                }
                AttemptOutput::Report(report) => self.reporter.report(attempt, report).await,
                AttemptOutput::Start(generation) => call = Some(Call::Start(generation)),
                AttemptOutput::Suspect(replica) => self.replicas.suspect(&replica),
            }
        }
        call
    }

    /// The outcome of a call, or else the runner's next event.
    async fn await_world(
        &self,
        order: &AttemptOrder,
        call: Option<Call>,
        events: &mut Option<EventStream>,
    ) -> AttemptInput {
        match (call, events) {
            (Some(Call::Read { prompt, text }), _) => {
                AttemptInput::Read(self.read(order, prompt, text).await)
            }
            (Some(Call::Start(generation)), events) => {
                AttemptInput::Started(match self.start(order, *generation).await {
                    Ok(begun) => {
                        *events = Some(begun);
                        Ok(())
                    }
                    Err(error) => Err(error),
                })
            }
            (None, Some(events)) => match events.next().await {
                Some((offset, event)) => AttemptInput::Event { offset, event },
                None => AttemptInput::RunnerGone,
            },
            (None, None) => std::future::pending().await,
        }
    }

    async fn read(
        &self,
        order: &AttemptOrder,
        prompt: Option<String>,
        text: bool,
    ) -> Result<Durable, ReadError> {
        let prompt = match prompt {
            Some(prompt) => Some(prompt),
            None => {
                let body = self.reads.task_body(order.task).await?;
                body.map(|body| body.prompt)
            }
        };
        Ok(Durable {
            prompt,
            text: match text {
                true => self.reads.task_text(order.task).await?,
                false => None,
            },
        })
    }

    async fn start(
        &self,
        order: &AttemptOrder,
        generation: Generation,
    ) -> Result<EventStream, StartError> {
        let replica = self.replicas.find(&order.replica);
        let replica = replica.ok_or(StartError::ReplicaGone)?;
        let engine_order = EngineOrder {
            adapter: replica.adapter,
            generation,
            wall_timeout: replica.wall_timeout,
        };
        let key = AttemptKey(order.attempt.0);
        let events = self.runner.start_or_attach(key, engine_order, 0).await;
        events.map_err(StartError::Runner)
    }
}

/// An attempt's clock, which counts from when this was made, and its one timer.
struct Alarm {
    zero: Instant,
    at: MonoMs,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    fn new() -> Self {
        let zero = Instant::now();
        Self {
            zero,
            at: MonoMs(0),
            sleep: Box::pin(sleep_until(zero)),
        }
    }

    fn now(&self) -> MonoMs {
        MonoMs(u64::try_from(self.zero.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Resolves at a time; never if there is none. The timer is only touched when that time is another one.
    async fn rings(&mut self, at: Option<MonoMs>) {
        let Some(at) = at else {
            return std::future::pending().await;
        };
        if self.at != at {
            self.at = at;
            let deadline = self.zero + Duration::from_millis(at.0);
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().await;
    }
}

/// Resolves when the flag is true; never if nobody can set it any more.
async fn turned(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|set| *set).await.is_err() {
        std::future::pending::<()>().await;
    }
}

mod report;
mod state;
mod terms;
#[cfg(test)]
pub(super) mod tests;
