//! The in-process runner: generations on engines behind adapters.
//!
//! It keeps the events of each attempt until they are acknowledged, so that whoever follows an attempt may
//! leave and attach again. It dies with the process; what it ran then is replayed by seed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use worker_adapter::{
    Adapter, AdapterError, AttemptKey, EventStream, Generation, GenerationEvent, Runner,
    RunnerError, RunnerEvent, RunnerFuture,
};

/// Most bytes of one token, which keeps what waits for a reader small; no vocabulary has one nearly as long.
const TOKEN_BYTES_MAX: usize = 64 << 10;
/// Most bytes of one text, which is held in memory while it grows and in one row afterwards.
const TEXT_BYTES_MAX: usize = 64 << 20;

/// A generation to run, and the engine to run it on.
#[derive(Clone)]
pub struct EngineOrder {
    /// The engine.
    pub adapter: Arc<dyn Adapter>,
    /// What to generate.
    pub generation: Generation,
    /// Longest time the whole of it may take.
    pub wall_timeout: Duration,
}

/// Runs generations in this process.
#[derive(Clone, Default)]
pub struct EngineRunner {
    attempts: Arc<Mutex<HashMap<AttemptKey, Arc<Log>>>>,
}

/// The events of one attempt that are not acknowledged yet.
struct Log {
    events: Mutex<Events>,
    moved: watch::Sender<u64>,
    pump: OnceLock<AbortHandle>,
}

#[derive(Default)]
struct Events {
    /// Offset of the first event held.
    first: u64,
    held: VecDeque<RunnerEvent>,
    closed: bool,
}

impl Log {
    fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, event: RunnerEvent) {
        let last = matches!(event, RunnerEvent::Ended { .. } | RunnerEvent::Failed(_));
        let mut events = self.events();
        events.held.push_back(event);
        events.closed |= last;
        drop(events);
        self.moved.send_modify(|version| *version += 1);
    }
}

impl EngineRunner {
    fn attempts(&self) -> MutexGuard<'_, HashMap<AttemptKey, Arc<Log>>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log of an attempt, which is started if nobody has; one key is never started twice.
    fn start_or_find(&self, attempt: AttemptKey, order: EngineOrder) -> Arc<Log> {
        let mut attempts = self.attempts();
        if let Some(log) = attempts.get(&attempt) {
            return Arc::clone(log);
        }
        let log = Arc::new(Log {
            events: Mutex::default(),
            moved: watch::Sender::new(0),
            pump: OnceLock::new(),
        });
        let writer = Arc::clone(&log);
        let pump = tokio::spawn(async move {
            let wall = order.wall_timeout;
            let ended = tokio::time::timeout(wall, pump(&writer, order)).await;
            if ended.is_err() {
                let error = AdapterError::TimedOut {
                    phase: "in all",
                    after: wall,
                };
                writer.push(RunnerEvent::Failed(error));
            }
        });
        // Nobody else sees the log before the lock of the map is given back, so it is not set yet.
        let _first = log.pump.set(pump.abort_handle());
        attempts.insert(attempt, Arc::clone(&log));
        log
    }
}

/// Moves events from the engine to the log until the end.
async fn pump(log: &Log, order: EngineOrder) {
    let mut stream = match order.adapter.generate(order.generation).await {
        Ok(stream) => stream,
        Err(error) => return log.push(RunnerEvent::Failed(error)),
    };
    let mut bytes = 0;
    while let Some(event) = stream.next().await {
        match event {
            Ok(GenerationEvent::Prompt { tokens }) => log.push(RunnerEvent::Prompt { tokens }),
            Ok(GenerationEvent::Token(text)) => {
                bytes += text.len();
                if let Some(error) = excess(text.len(), bytes) {
                    return log.push(RunnerEvent::Failed(error));
                }
                log.push(RunnerEvent::Token(text));
            }
            Ok(GenerationEvent::End {
                finish,
                tokens_in,
                tokens_out,
            }) => {
                return log.push(RunnerEvent::Ended {
                    finish,
                    tokens_in,
                    tokens_out,
                });
            }
            Err(error) => return log.push(RunnerEvent::Failed(error)),
        }
    }
    log.push(RunnerEvent::Failed(AdapterError::Reset(
        "its stream ended before the text did".to_owned(),
    )));
}

/// What is wrong with a token of so many bytes, or with a text that has grown to so many by it.
fn excess(token_bytes: usize, text_bytes: usize) -> Option<AdapterError> {
    let what = if token_bytes > TOKEN_BYTES_MAX {
        format!("it sent a token of {token_bytes} bytes, and {TOKEN_BYTES_MAX} are the most")
    } else if text_bytes > TEXT_BYTES_MAX {
        format!("it sent a text of more than {TEXT_BYTES_MAX} bytes")
    } else {
        return None;
    };
    Some(AdapterError::Protocol(what))
}

impl Runner<EngineOrder> for EngineRunner {
    fn start_or_attach(
        &self,
        attempt: AttemptKey,
        order: EngineOrder,
        from_offset: u64,
    ) -> RunnerFuture<'_, EventStream> {
        Box::pin(async move {
            let log = self.start_or_find(attempt, order);
            let first = log.events().first;
            if from_offset < first {
                return Err(RunnerError::Gone { first });
            }
            Ok(follow(log, from_offset))
        })
    }

    fn ack(&self, attempt: AttemptKey, offset: u64) {
        let Some(log) = self.attempts().get(&attempt).map(Arc::clone) else {
            return;
        };
        let mut events = log.events();
        while events.first < offset && events.held.pop_front().is_some() {
            events.first += 1;
        }
        let done = events.closed && events.held.is_empty();
        drop(events);
        if done {
            self.attempts().remove(&attempt);
        }
    }

    fn cancel(&self, attempt: AttemptKey) {
        let Some(log) = self.attempts().remove(&attempt) else {
            return;
        };
        if let Some(pump) = log.pump.get() {
            pump.abort();
        }
        log.events().closed = true;
        log.moved.send_modify(|version| *version += 1);
    }

    fn list(&self) -> Vec<AttemptKey> {
        let mut keys: Vec<_> = self.attempts().keys().copied().collect();
        keys.sort_unstable();
        keys
    }
}

/// The events from an offset on, each with the offset that follows it.
fn follow(log: Arc<Log>, offset: u64) -> EventStream {
    let moved = log.moved.subscribe();
    Box::pin(unfold(
        (log, moved, offset),
        |(log, mut moved, offset)| async move {
            loop {
                moved.mark_unchanged();
                let (event, closed) = {
                    let events = log.events();
                    let index =
                        usize::try_from(offset.saturating_sub(events.first)).unwrap_or(usize::MAX);
                    (events.held.get(index).cloned(), events.closed)
                };
                match event {
                    Some(event) => return Some(((offset + 1, event), (log, moved, offset + 1))),
                    None if closed => return None,
                    None => moved.changed().await.ok()?,
                }
            }
        },
    ))
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
