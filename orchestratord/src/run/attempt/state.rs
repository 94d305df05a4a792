//! One attempt without tasks, clocks or channels.

use std::collections::VecDeque;
use std::sync::Arc;

use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::id::ReplicaName;
use orchestrator_core::task::{FinishReason, TaskFault};
use orchestrator_core::time::{MonoMs, Now};
use store::{ReadError, TaskText};
use worker_adapter::{Finish, Generation, RunnerError, RunnerEvent};

use super::report::{AttemptReport, Finished};
use super::terms::{fault_of, generation, may_be_down};
use crate::stream::{PushError, TaskStream};

/// Tokens after which a chunk is told; only what an earlier attempt left untold can make one longer.
pub const CHUNK_TOKENS_MAX: u64 = 64;
/// Longest time that a token waits for its chunk, in milliseconds.
pub const CHUNK_PERIOD_MS: u64 = 200;
/// Pause between two signs of life, in milliseconds; well below the lease of an attempt.
pub const RENEW_PERIOD_MS: u64 = 10_000;

/// What happened to an attempt.
#[derive(Debug)]
pub enum AttemptInput {
    /// It has been stopped, and may not write any more.
    Cancelled,
    /// The runner told this; `offset` follows it.
    Event {
        /// Offset that follows the event.
        offset: u64,
        /// The event.
        event: RunnerEvent,
    },
    /// What came of [`AttemptOutput::Read`].
    Read(Result<Durable, ReadError>),
    /// The runner tells no more, although it has not told an end.
    RunnerGone,
    /// What came of [`AttemptOutput::Start`].
    Started(Result<(), StartError>),
    /// Time has passed.
    Tick,
}

/// What the store holds for an attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durable {
    /// The prompt; none if the store has none.
    pub prompt: Option<String>,
    /// The text so far, if it was asked for and there is one.
    pub text: Option<TaskText>,
}

/// Why a generation was not started.
#[derive(Clone, Debug, PartialEq)]
pub enum StartError {
    /// No such replica takes calls.
    ReplicaGone,
    /// The runner did not take it.
    Runner(RunnerError),
}

/// What an attempt wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptOutput {
    /// Tell the runner that it may forget the events before this offset.
    Ack(u64),
    /// Tell the runner to stop, whether or not it runs.
    Cancel,
    /// Read the prompt from the store and, if `text` is set, what it has of the text.
    Read {
        /// True if the text is needed too.
        text: bool,
    },
    /// Tell the owner.
    Report(AttemptReport),
    /// Start the generation on the order's replica.
    Start(Box<Generation>),
    /// Have this replica's health checked at once.
    Suspect(ReplicaName),
}

/// One attempt without tasks, clocks or channels: it writes tokens into the task's stream as they come, and
/// says what to tell the owner. Whatever happens, it tells exactly one end, and nothing after it.
///
/// # How to drive it
///
/// 1. Make it with [`AttemptState::new`] over a stream that the attempt has begun to write.
/// 2. Drain [`AttemptState::poll`], and carry each output out in order before the next one. A report is
///    carried out when the owner has a place for it; until then nothing else goes on.
/// 3. Stop once [`AttemptState::is_over`].
/// 4. Pass in what happened by [`AttemptState::step`], and go back to 2. Where several things have happened,
///    the first of these counts: that it was cancelled; the tick that is due by [`AttemptState::next_wake`];
///    the outcome of a read or start; the runner's next event.
///
/// Inputs that nobody waits for are ignored, so they may come late.
#[derive(Debug)]
pub struct AttemptState {
    order: AttemptOrder,
    stream: Arc<TaskStream>,
    phase: Phase,
    outputs: VecDeque<AttemptOutput>,
    /// Tokens that this attempt has produced, replayed ones included.
    produced: u64,
    /// Offset after the last token taken; what came before it may be forgotten once the owner has it.
    offset: u64,
    /// Tokens of the stream that the owner has been told of.
    told: u64,
    /// Tokens of the input as far as the engine has said; 0 until then.
    tokens_in: u64,
    /// When the first token came, and how many milliseconds after acceptance.
    first_token: Option<(MonoMs, u64)>,
    last_token: Option<MonoMs>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The store is read.
    Reading,
    /// The runner is asked.
    Starting,
    /// Events are followed.
    Following { renew: MonoMs, chunk: MonoMs },
    /// The end has been told.
    Over,
}

impl AttemptState {
    /// An attempt that writes this stream from here on.
    #[must_use]
    pub fn new(order: AttemptOrder, stream: Arc<TaskStream>) -> Self {
        let text = order.position > 0;
        Self {
            told: order.position,
            order,
            stream,
            phase: Phase::Reading,
            outputs: VecDeque::from([AttemptOutput::Read { text }]),
            produced: 0,
            offset: 0,
            tokens_in: 0,
            first_token: None,
            last_token: None,
        }
    }

    /// What it was ordered to do.
    #[must_use]
    pub fn order(&self) -> &AttemptOrder {
        &self.order
    }

    /// True once the end is among the outputs: no input changes anything any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// When to come back with a tick although nothing happens; `None`: not before something does.
    #[must_use]
    pub fn next_wake(&self) -> Option<MonoMs> {
        match self.phase {
            Phase::Following { renew, chunk } => Some(renew.min(chunk)),
            Phase::Reading | Phase::Starting | Phase::Over => None,
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<AttemptOutput> {
        self.outputs.pop_front()
    }

    /// Takes in what happened.
    pub fn step(&mut self, now: Now, input: AttemptInput) {
        match (input, self.phase) {
            (_, Phase::Over) => {}
            (AttemptInput::Cancelled, _) => self.cancelled(),
            (AttemptInput::Read(read), Phase::Reading) => self.read(read),
            (AttemptInput::Started(started), Phase::Starting) => self.started(now, started),
            (AttemptInput::Tick, Phase::Following { renew, chunk }) => {
                self.tick(now.mono, renew, chunk);
            }
            (AttemptInput::Event { offset, event }, Phase::Following { .. }) => {
                self.event(now, offset, event);
            }
            (AttemptInput::RunnerGone, Phase::Following { .. }) => {
                self.fail(TaskFault::Interrupted, "the runner stopped it".to_owned());
            }
            // Late, or asked for by nobody.
            (_, Phase::Reading | Phase::Starting | Phase::Following { .. }) => {}
        }
    }

    fn read(&mut self, read: Result<Durable, ReadError>) {
        let durable = match read {
            Ok(durable) => durable,
            Err(error) => return self.fail(TaskFault::Interrupted, error.to_string()),
        };
        let Some(prompt) = durable.prompt else {
            let detail = "its prompt is not in the store".to_owned();
            return self.fail(TaskFault::Interrupted, detail);
        };
        if let Err(error) = self.stream.seed(&durable.text.unwrap_or_default()) {
            return self.refused(error);
        }
        self.phase = Phase::Starting;
        let generation = Box::new(generation(&self.order, prompt));
        self.outputs.push_back(AttemptOutput::Start(generation));
    }

    fn started(&mut self, now: Now, started: Result<(), StartError>) {
        let detail = match started {
            Ok(()) => {
                self.phase = Phase::Following {
                    renew: now.mono + RENEW_PERIOD_MS,
                    chunk: now.mono + CHUNK_PERIOD_MS,
                };
                return;
            }
            Err(StartError::ReplicaGone) => format!("replica {} is gone", self.order.replica),
            Err(StartError::Runner(error)) => error.to_string(),
        };
        self.fail(TaskFault::WorkerReset, detail);
    }

    /// One thing at a time, so that a cancel can come between them.
    fn tick(&mut self, now: MonoMs, renew: MonoMs, chunk: MonoMs) {
        if renew <= now {
            self.tell(AttemptReport::Renewed);
            let renew = now + RENEW_PERIOD_MS;
            self.phase = Phase::Following { renew, chunk };
        } else if chunk <= now {
            self.flush();
            let chunk = now + CHUNK_PERIOD_MS;
            self.phase = Phase::Following { renew, chunk };
        }
    }

    fn event(&mut self, now: Now, offset: u64, event: RunnerEvent) {
        match event {
            RunnerEvent::Prompt { tokens } => self.tokens_in = tokens,
            RunnerEvent::Token(text) => {
                match self.stream.push(self.order.attempt, self.produced, &text) {
                    Ok(()) => self.token(now, offset),
                    Err(error) => self.refused(error),
                }
            }
            RunnerEvent::Ended {
                finish, tokens_in, ..
            } => self.finished(finish, tokens_in),
            RunnerEvent::Failed(error) => {
                if may_be_down(&error) {
                    // Before the end is reported, so that the next attempt is not sent to it too.
                    let replica = self.order.replica.clone();
                    self.outputs.push_back(AttemptOutput::Suspect(replica));
                }
                self.fail(fault_of(&error), error.to_string());
            }
        }
    }

    fn token(&mut self, now: Now, offset: u64) {
        self.offset = offset;
        self.produced += 1;
        self.last_token = Some(now.mono);
        if self.first_token.is_none() {
            self.first_token = Some((now.mono, now.wall - self.order.accepted_at));
            self.tell(AttemptReport::Running);
        }
        if self.produced >= self.told + CHUNK_TOKENS_MAX {
            self.flush();
        }
    }

    /// Tells the owner of what this attempt has produced and the owner has not been told of.
    fn flush(&mut self) {
        if self.produced > self.told {
            self.flush_released();
        }
    }

    /// Tells the owner of every released token that it has not been told of, also of those that an earlier
    /// attempt released and lost before they were told.
    fn flush_released(&mut self) {
        let text = self.stream.text_from(self.told);
        if text.tokens() > 0 {
            let from = self.told;
            self.told += text.tokens();
            self.tell(AttemptReport::Chunk { from, text });
            self.outputs.push_back(AttemptOutput::Ack(self.offset));
        }
    }

    fn finished(&mut self, finish: Finish, tokens_in: u64) {
        let text = self.stream.text();
        if text.tokens() > self.produced {
            let detail = format!(
                "the replay ended at token {}, before the {} released",
                self.produced,
                text.tokens()
            );
            return self.fail(TaskFault::StreamDiverged, detail);
        }
        let finish = match finish {
            Finish::Length => FinishReason::Length,
            Finish::Stop => FinishReason::Stop,
        };
        self.finish(finish, tokens_in, text);
    }

    fn cancelled(&mut self) {
        let text = self.stream.text();
        self.finish(FinishReason::Cancelled, self.tokens_in, text);
    }

    /// The text took no further token.
    fn refused(&mut self, error: PushError) {
        match error {
            PushError::Diverged { index } => {
                let detail =
                    format!("the replay gave another token at index {index} than the one released");
                self.fail(TaskFault::StreamDiverged, detail);
            }
            PushError::Revoked => self.cancelled(),
        }
    }

    fn finish(&mut self, finish: FinishReason, tokens_in: u64, text: TaskText) {
        let decode = self
            .first_token
            .zip(self.last_token)
            .map(|((first, _), last)| last - first);
        self.end(AttemptReport::Finished(Box::new(Finished {
            finish,
            tokens_in,
            decode_ms: decode.unwrap_or(0),
            first_token_ms: self.first_token.map(|(_, ms)| ms),
            text,
        })));
    }

    fn fail(&mut self, fault: TaskFault, detail: String) {
        self.end(AttemptReport::Failed { fault, detail });
    }

    fn end(&mut self, report: AttemptReport) {
        self.phase = Phase::Over;
        self.outputs.push_back(AttemptOutput::Cancel);
        if matches!(&report, AttemptReport::Failed { fault, .. } if *fault != TaskFault::StreamDiverged)
        {
            // Readers may have it, and the next attempt is held to it: so it is kept.
            self.flush_released();
        }
        self.tell(report);
    }

    fn tell(&mut self, report: AttemptReport) {
        self.outputs.push_back(AttemptOutput::Report(report));
    }
}

#[cfg(test)]
mod tests;
