//! The two ways to answer a generation: whole, or as it comes.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;

use super::ApiError;
use crate::generation::{Likelihood, Step};
use crate::slot::{Event, Outcome, Refusal, Ticket};
use crate::tokenizer::TokenId;

/// A generation that has ended.
pub(crate) struct Whole {
    pub(crate) text: String,
    pub(crate) tokens: Vec<TokenId>,
    pub(crate) likelihoods: Vec<Likelihood>,
    pub(crate) outcome: Outcome,
}

/// Waits for a generation to end.
pub(crate) async fn whole(mut ticket: Ticket) -> Result<Whole, ApiError> {
    let (mut text, mut tokens, mut likelihoods) = (String::new(), Vec::new(), Vec::new());
    loop {
        match ticket.events.recv().await {
            Some(Event::Token { step, .. }) => {
                text.push_str(&step.text);
                tokens.extend(step.tokens);
                likelihoods.extend(step.likelihoods);
            }
            Some(Event::Done(outcome)) => {
                return Ok(Whole {
                    text,
                    tokens,
                    likelihoods,
                    outcome,
                });
            }
            Some(Event::Failed(message)) => return Err(ApiError::server(message)),
            None => return Err(ApiError::refused(Refusal::Closed)),
        }
    }
}

/// What a dialect writes for each event of a stream: any number of server-sent events.
pub(crate) trait Frames: Send + 'static {
    /// For a token, or several that make up a character.
    fn token(&mut self, step: Step, n_decoded: usize) -> io::Result<String>;
    /// For the end.
    fn end(&mut self, outcome: Outcome) -> io::Result<String>;
}

/// One server-sent event.
pub(crate) fn sse(data: &impl Serialize) -> io::Result<String> {
    Ok(format!("data: {}\n\n", serde_json::to_string(data)?))
}

/// A stream begins with its first event, so that what fails before that fails with a status.
pub(crate) async fn stream_reply(
    frames: impl Frames,
    mut ticket: Ticket,
) -> Result<Response, ApiError> {
    let first = match ticket.events.recv().await {
        Some(Event::Failed(message)) => return Err(ApiError::server(message)),
        None => return Err(ApiError::refused(Refusal::Closed)),
        Some(event) => event,
    };
    let streaming = Streaming {
        frames,
        ticket,
        next: Some(first),
        ended: false,
    };
    let body = stream::try_unfold(streaming, Streaming::advance);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

struct Streaming<F> {
    frames: F,
    ticket: Ticket,
    next: Option<Event>,
    ended: bool,
}

impl<F: Frames> Streaming<F> {
    /// The next bytes. An error breaks the connection off: a stream without its last frame must not
    /// look like a finished one.
    async fn advance(mut self) -> io::Result<Option<(Bytes, Self)>> {
        while !self.ended {
            let event = match self.next.take() {
                Some(event) => Some(event),
                None => self.ticket.events.recv().await,
            };
            let text = match event {
                Some(Event::Token { step, n_decoded }) => self.frames.token(step, n_decoded)?,
                Some(Event::Done(outcome)) => {
                    self.ended = true;
                    self.frames.end(outcome)?
                }
                Some(Event::Failed(message)) => {
                    self.ended = true;
                    sse(&ApiError::server(message).to_json())?
                }
                None => return Err(io::Error::other("the engine is shutting down")),
            };
            if !text.is_empty() {
                return Ok(Some((text.into(), self)));
            }
        }
        Ok(None)
    }
}
