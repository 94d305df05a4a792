//! `POST /completion`.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;

use super::App;
use super::error::ApiError;
use super::frames::{Asked, FinalFrame, TokenFrame};
use super::sampling_fields::Completion;
use crate::slot::{Event, Refusal, Ticket};

pub(crate) async fn completion(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let completion = Completion::parse(body)?;
    let model = app.model()?;
    let (streamed, return_tokens) = (completion.stream, completion.return_tokens);
    let settings = completion.settings();
    let alias = app.alias.clone();
    // A megabyte of text is a second's work for the tokenizer, and this thread serves everyone.
    let prepared = tokio::task::spawn_blocking(move || {
        let request = completion.prepare(&model)?;
        let asked = Asked {
            model: alias,
            settings,
            prompt: model.vocabulary().decode_with_special(&request.prompt),
            n_prompt: request.prompt.len(),
        };
        Ok((request, asked))
    });
    let (request, asked) = prepared
        .await
        .map_err(|error| ApiError::server(error.to_string()))??;
    let ticket = app.slot.submit(request).map_err(ApiError::refused)?;
    if streamed {
        stream_reply(asked, ticket).await
    } else {
        whole_reply(asked, ticket, return_tokens).await
    }
}

async fn whole_reply(
    asked: Asked,
    mut ticket: Ticket,
    return_tokens: bool,
) -> Result<Response, ApiError> {
    let mut content = String::new();
    let mut tokens = Vec::new();
    loop {
        match ticket.events.recv().await {
            Some(Event::Token { step, .. }) => {
                content.push_str(&step.text);
                if return_tokens {
                    tokens.extend(step.tokens);
                }
            }
            Some(Event::Done(outcome)) => {
                let has_new_line = content.contains('\n');
                let reply = FinalFrame::new(asked, outcome, has_new_line, content, tokens);
                return Ok(Json(reply).into_response());
            }
            Some(Event::Failed(message)) => return Err(ApiError::server(message)),
            None => return Err(ApiError::refused(Refusal::Closed)),
        }
    }
}

/// A stream begins with its first event, so that what fails before that fails with a status.
async fn stream_reply(asked: Asked, mut ticket: Ticket) -> Result<Response, ApiError> {
    let first = match ticket.events.recv().await {
        Some(Event::Failed(message)) => return Err(ApiError::server(message)),
        None => return Err(ApiError::refused(Refusal::Closed)),
        Some(event) => event,
    };
    let streaming = Streaming {
        asked: Some(asked),
        ticket,
        next: Some(first),
        has_new_line: false,
    };
    let frames = stream::try_unfold(streaming, Streaming::frame);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}

struct Streaming {
    /// Taken by the last frame: after that there is nothing.
    asked: Option<Asked>,
    ticket: Ticket,
    next: Option<Event>,
    has_new_line: bool,
}

impl Streaming {
    /// The next frame. An error breaks the connection off: a stream without its last frame must not
    /// look like a finished one.
    async fn frame(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let Some(asked) = self.asked.take() else {
            return Ok(None);
        };
        let event = match self.next.take() {
            Some(event) => Some(event),
            None => self.ticket.events.recv().await,
        };
        let frame = match event {
            Some(Event::Token { step, n_decoded }) => {
                self.has_new_line |= step.text.contains('\n');
                let frame = TokenFrame::new(&step.text, &step.tokens, n_decoded, asked.n_prompt);
                let frame = sse(&frame)?;
                self.asked = Some(asked);
                frame
            }
            Some(Event::Done(outcome)) => sse(&FinalFrame::new(
                asked,
                outcome,
                self.has_new_line,
                String::new(),
                Vec::new(),
            ))?,
            Some(Event::Failed(message)) => sse(&ApiError::server(message).to_json())?,
            None => return Err(io::Error::other("the engine is shutting down")),
        };
        Ok(Some((frame, self)))
    }
}

fn sse(frame: &impl Serialize) -> io::Result<Bytes> {
    Ok(format!("data: {}\n\n", serde_json::to_string(frame)?).into())
}
