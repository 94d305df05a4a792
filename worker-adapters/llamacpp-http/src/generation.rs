//! The stream of one generation: pulls bytes, minds the clock.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout_at};
use worker_adapter::{AdapterError, GenerationEvent, GenerationStream, SseDecoder};

use crate::assembler::Assembler;
use crate::failure;
use crate::line::Line;
use crate::timeouts::Timeouts;

/// How long one frame may be, in bytes. The last frame quotes the prompt.
pub(crate) const MAX_FRAME_BYTES: usize = 16 << 20;

/// When a generation began, and how long its parts may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    timeouts: Timeouts,
}

/// The moment by which something must have come, and the error if it has not.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    at: Instant,
    error: AdapterError,
}

impl Clock {
    pub(crate) fn start(timeouts: Timeouts) -> Self {
        Self {
            began: Instant::now(),
            timeouts,
        }
    }

    /// By when the first token must have come.
    pub(crate) fn first_token(&self) -> Limit {
        self.nearer(limit(
            self.began,
            self.timeouts.first_token,
            "to the first token",
        ))
    }

    /// By when the next token must have come if somebody begins to wait for it now.
    fn next_token(&self) -> Limit {
        self.nearer(limit(
            Instant::now(),
            self.timeouts.idle,
            "from one token to the next",
        ))
    }

    fn nearer(&self, other: Limit) -> Limit {
        let whole = limit(self.began, self.timeouts.total, "for the whole generation");
        if whole.at < other.at { whole } else { other }
    }
}

fn limit(from: Instant, after: Duration, phase: &'static str) -> Limit {
    Limit {
        at: from + after,
        error: AdapterError::TimedOut { phase, after },
    }
}

impl Limit {
    /// Waits, but not longer than the limit.
    pub(crate) async fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, AdapterError>>,
    ) -> Result<T, AdapterError> {
        timeout_at(self.at, work)
            .await
            .unwrap_or_else(|_| Err(self.error.clone()))
    }
}

type Body = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

struct Pull {
    line: Line,
    url: String,
    body: Body,
    decoder: SseDecoder,
    assembler: Assembler,
    clock: Clock,
    began_to_speak: bool,
}

/// The events of a completion whose response has begun.
pub(crate) fn events(
    (line, url): (Line, String),
    response: reqwest::Response,
    max_tokens: u32,
    clock: Clock,
) -> GenerationStream {
    let pull = Pull {
        line,
        url,
        body: Box::pin(response.bytes_stream()),
        decoder: SseDecoder::new(MAX_FRAME_BYTES),
        assembler: Assembler::new(max_tokens),
        clock,
        began_to_speak: false,
    };
    // The state is given up with an error, and the connection with it.
    Box::pin(stream::unfold(Some(pull), async |pull| {
        let mut pull = pull?;
        match pull.next_event().await {
            Ok(event @ GenerationEvent::End { .. }) => {
                pull.line.rest(pull.body);
                Some((Ok(event), None))
            }
            Ok(event) => Some((Ok(event), Some(pull))),
            Err(error) => Some((Err(error), None)),
        }
    }))
}

impl Pull {
    async fn next_event(&mut self) -> Result<GenerationEvent, AdapterError> {
        let limit = if self.began_to_speak {
            self.clock.next_token()
        } else {
            self.clock.first_token()
        };
        loop {
            if let Some(event) = self.assembler.next_event() {
                self.began_to_speak |= matches!(event, GenerationEvent::Token(_));
                return Ok(event);
            }
            if let Some(frame) = self.decoder.next_frame() {
                self.assembler.accept(&frame.data)?;
                continue;
            }
            let piece = limit.wait(self.next_piece()).await?;
            self.decoder
                .feed(&piece)
                .map_err(|error| AdapterError::Protocol(error.to_string()))?;
        }
    }

    async fn next_piece(&mut self) -> Result<Bytes, AdapterError> {
        match self.body.next().await {
            Some(Ok(piece)) => Ok(piece),
            Some(Err(error)) => Err(failure::from_transport(&self.url, error)),
            None => Err(AdapterError::Reset(
                "its stream ended before the last frame".to_owned(),
            )),
        }
    }
}
