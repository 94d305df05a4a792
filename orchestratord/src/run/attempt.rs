//! Follows one attempt from its order to its end.
//!
//! Tokens go into the task's stream as they come, and to the owner in chunks. Whatever happens, exactly one
//! end is reported, and nothing after it.

use std::time::Duration;

use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::id::AttemptId;
use orchestrator_core::input::AttemptEnd;
use orchestrator_core::task::{FinishReason, TaskFault};
use store::{ReadStore, TaskText};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use worker_adapter::{AttemptKey, EventStream, Finish, Runner, RunnerEvent};

use self::terms::{fault_of, generation, may_be_down};
use super::engine::{EngineOrder, EngineRunner};
use super::replicas::Replicas;
use crate::stream::{PushError, TaskStream};

use futures_util::StreamExt;
use std::future::Future;
use std::sync::Arc;

/// Tokens after which a chunk is told; only what an earlier attempt left untold can make one longer.
pub const CHUNK_TOKENS_MAX: u64 = 64;
/// Longest time that a token waits for its chunk.
pub const CHUNK_PERIOD: Duration = Duration::from_millis(200);
/// Pause between two signs of life; well below the lease of an attempt.
pub const RENEW_PERIOD: Duration = Duration::from_secs(10);

/// What an attempt tells the owner.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptReport {
    /// Tokens from a position on, to be kept.
    Chunk {
        /// Position of the first.
        from: u64,
        /// The tokens.
        text: TaskText,
    },
    /// It broke.
    Failed {
        /// Why.
        fault: TaskFault,
        /// What happened, for a person.
        detail: String,
    },
    /// It reached an end.
    Finished(Box<Finished>),
    /// It is alive.
    Renewed,
    /// Its first token is there.
    Running,
}

/// The end of an attempt that has a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Why the text ends.
    pub finish: FinishReason,
    /// Tokens of the input, as the engine counted them; 0 if it was stopped before it said.
    pub tokens_in: u64,
    /// Milliseconds from the first to the last token.
    pub decode_ms: u64,
    /// Milliseconds from acceptance to the first token, if there was one.
    pub first_token_ms: Option<u64>,
    /// The whole text.
    pub text: TaskText,
}

impl Finished {
    /// As the machine takes it, without the text.
    #[must_use]
    pub fn end(&self, text: orchestrator_core::id::PayloadRef) -> AttemptEnd {
        AttemptEnd::Finished {
            finish: self.finish,
            tokens_in: self.tokens_in,
            tokens_out: self.text.tokens(),
            decode_ms: self.decode_ms,
            first_token_ms: self.first_token_ms,
            text,
        }
    }
}

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

/// One attempt under way.
struct Attempt<'a, R> {
    follower: &'a Follower<R>,
    order: &'a AttemptOrder,
    stream: &'a TaskStream,
    key: AttemptKey,
    /// Tokens that this attempt has produced, replayed ones included.
    produced: u64,
    /// Offset after the last event taken; what came before it may be forgotten once the owner has it.
    offset: u64,
    /// Tokens of the stream that the owner has been told of.
    told: u64,
    /// Tokens of the input as far as the engine has said; 0 until then.
    tokens_in: u64,
    first_token: Option<(Instant, u64)>,
    last_token: Option<Instant>,
}

impl<R: Reporter> Follower<R> {
    /// Runs an attempt, which has begun on the stream, to its end and reports it. `cancelled` turns true when it has been
    /// stopped and may not write any more.
    pub async fn follow(
        &self,
        order: &AttemptOrder,
        stream: &TaskStream,
        cancelled: watch::Receiver<bool>,
    ) {
        let key = AttemptKey(order.attempt.0);
        let mut attempt = Attempt {
            follower: self,
            order,
            stream,
            key,
            produced: 0,
            offset: 0,
            told: order.position,
            tokens_in: 0,
            first_token: None,
            last_token: None,
        };
        let report = attempt.run(cancelled).await;
        self.runner.cancel(key);
        if matches!(&report, AttemptReport::Failed { fault, .. } if *fault != TaskFault::StreamDiverged)
        {
            // Readers may have it, and the next attempt is held to it: so it is kept.
            attempt.flush_released().await;
        }
        self.reporter.report(order.attempt, report).await;
    }
}

impl<R: Reporter> Attempt<'_, R> {
    /// The report of the end.
    async fn run(&mut self, mut cancelled: watch::Receiver<bool>) -> AttemptReport {
        let begun = tokio::select! {
            biased;
            () = turned(&mut cancelled) => return self.cancelled(),
            begun = self.begin() => begun,
        };
        let mut events = match begun {
            Ok(events) => events,
            Err(report) => return report,
        };
        let start = Instant::now();
        let mut chunk = interval_at(start + CHUNK_PERIOD, CHUNK_PERIOD);
        let mut renew = interval_at(start + RENEW_PERIOD, RENEW_PERIOD);
        chunk.set_missed_tick_behavior(MissedTickBehavior::Delay);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = turned(&mut cancelled) => return self.cancelled(),
                _ = renew.tick() => self.tell(AttemptReport::Renewed).await,
                _ = chunk.tick() => self.flush().await,
                event = events.next() => if let Some(end) = self.event(event).await { return end },
            }
        }
    }

    /// Finds the prompt, what the text has already, and the engine, and starts.
    async fn begin(&self) -> Result<EventStream, AttemptReport> {
        let lost = |what: &str| failed(TaskFault::Interrupted, what.to_owned());
        let body = self.follower.reads.task_body(self.order.task).await;
        let body = body
            .map_err(|error| lost(&error.to_string()))?
            .ok_or_else(|| lost("its prompt is not in the store"))?;
        if self.order.position > 0 {
            let text = self
                .follower
                .reads
                .task_text(self.order.task)
                .await
                .map_err(|error| lost(&error.to_string()))?;
            self.stream
                .seed(&text.unwrap_or_default())
                .map_err(|error| self.refused(error))?;
        }
        let replica = self.follower.replicas.find(&self.order.replica);
        let replica = replica.ok_or_else(|| {
            failed(
                TaskFault::WorkerReset,
                format!("replica {} is gone", self.order.replica),
            )
        })?;
        let order = EngineOrder {
            adapter: replica.adapter,
            generation: generation(self.order, body.prompt),
            wall_timeout: replica.wall_timeout,
        };
        let events = self
            .follower
            .runner
            .start_or_attach(self.key, order, 0)
            .await;
        events.map_err(|error| failed(TaskFault::WorkerReset, error.to_string()))
    }

    /// Takes one event; the report of the end if it is one.
    async fn event(&mut self, event: Option<(u64, RunnerEvent)>) -> Option<AttemptReport> {
        let Some((offset, event)) = event else {
            return Some(failed(
                TaskFault::Interrupted,
                "the runner stopped it".to_owned(),
            ));
        };
        match event {
            RunnerEvent::Prompt { tokens } => {
                self.tokens_in = tokens;
                None
            }
            RunnerEvent::Token(text) => {
                if let Err(error) = self.stream.push(self.order.attempt, self.produced, &text) {
                    return Some(self.refused(error));
                }
                self.offset = offset;
                self.token().await;
                None
            }
            RunnerEvent::Ended {
                finish, tokens_in, ..
            } => Some(self.finished(finish, tokens_in)),
            RunnerEvent::Failed(error) => {
                if may_be_down(&error) {
                    // Before the end is reported, so that the next attempt is not sent to it too.
                    self.follower.replicas.suspect(&self.order.replica);
                }
                Some(failed(fault_of(&error), error.to_string()))
            }
        }
    }

    async fn token(&mut self) {
        let now = Instant::now();
        self.produced += 1;
        self.last_token = Some(now);
        if self.first_token.is_none() {
            let since_accept = self
                .follower
                .reporter
                .wall_ms()
                .saturating_sub(self.order.accepted_at.0);
            self.first_token = Some((now, since_accept));
            self.tell(AttemptReport::Running).await;
        }
        if self.produced >= self.told + CHUNK_TOKENS_MAX {
            self.flush().await;
        }
    }

    /// Tells the owner of what this attempt has produced and the owner has not been told of.
    async fn flush(&mut self) {
        if self.produced > self.told {
            self.flush_released().await;
        }
    }

    /// Tells the owner of every released token that it has not been told of, also of those that an earlier
    /// attempt released and lost before they were told.
    async fn flush_released(&mut self) {
        let text = self.stream.text_from(self.told);
        if text.tokens() > 0 {
            let from = self.told;
            self.told += text.tokens();
            self.tell(AttemptReport::Chunk { from, text }).await;
            self.follower.runner.ack(self.key, self.offset);
        }
    }

    async fn tell(&self, report: AttemptReport) {
        self.follower
            .reporter
            .report(self.order.attempt, report)
            .await;
    }

    fn finished(&self, finish: Finish, tokens_in: u64) -> AttemptReport {
        let text = self.stream.text();
        if text.tokens() > self.produced {
            let detail = format!(
                "the replay ended at token {}, before the {} released",
                self.produced,
                text.tokens()
            );
            return failed(TaskFault::StreamDiverged, detail);
        }
        let finish = match finish {
            Finish::Length => FinishReason::Length,
            Finish::Stop => FinishReason::Stop,
        };
        self.end(finish, tokens_in, text)
    }

    fn cancelled(&self) -> AttemptReport {
        self.end(FinishReason::Cancelled, self.tokens_in, self.stream.text())
    }

    fn end(&self, finish: FinishReason, tokens_in: u64, text: TaskText) -> AttemptReport {
        let decode = self
            .first_token
            .zip(self.last_token)
            .map(|((first, _), last)| last - first);
        AttemptReport::Finished(Box::new(Finished {
            finish,
            tokens_in,
            decode_ms: decode.map_or(0, |decode| {
                u64::try_from(decode.as_millis()).unwrap_or(u64::MAX)
            }),
            first_token_ms: self.first_token.map(|(_, ms)| ms),
            text,
        }))
    }

    /// The text took no further token.
    fn refused(&self, error: PushError) -> AttemptReport {
        match error {
            PushError::Diverged { index } => {
                let detail =
                    format!("the replay gave another token at index {index} than the one released");
                failed(TaskFault::StreamDiverged, detail)
            }
            PushError::Revoked => self.cancelled(),
        }
    }
}

fn failed(fault: TaskFault, detail: String) -> AttemptReport {
    AttemptReport::Failed { fault, detail }
}

/// Resolves when the flag is true; never if nobody can set it any more.
async fn turned(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|set| *set).await.is_err() {
        std::future::pending::<()>().await;
    }
}

mod terms;
#[cfg(test)]
mod tests;
