//! A stream of events that comes back where it broke off.

use std::{marker::PhantomData, time::Duration};

use api_types::support::Event;
use futures_util::{Stream, stream};
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use tokio::time::sleep;

use super::decoder::{Decoder, RawEvent};
use crate::support::{ApiError, Backoff, reply};

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientEvent<E> {
    /// Id to resume after this event, if it has one of its own.
    pub id: Option<String>,
    /// The event.
    pub event: E,
}

/// Reads a stream to its terminal event. Whenever the connection breaks or ends before that,
/// it connects again with the id of the last event that had one, so that no event is lost and
/// none is read twice.
///
/// It ends after a terminal event, when the server says that there is nothing left (204), at a
/// problem that is not retriable, or when the tries in a row are used up.
#[derive(Debug)]
pub struct EventReader<E> {
    http: reqwest::Client,
    url: String,
    last_event_id: Option<String>,
    backoff: Backoff,
    failures: u32,
    pause: Option<Duration>,
    connection: Option<Connection>,
    ended: bool,
    events: PhantomData<fn() -> E>,
}

#[derive(Debug)]
struct Connection {
    response: Response,
    decoder: Decoder,
}

impl<E> EventReader<E> {
    /// A reader of the stream at `url`, from after the event with the given id.
    pub fn new(
        http: reqwest::Client,
        url: String,
        last_event_id: Option<&str>,
        backoff: Backoff,
    ) -> Self {
        Self {
            http,
            url,
            last_event_id: last_event_id.map(str::to_owned),
            backoff,
            failures: 0,
            pause: None,
            connection: None,
            ended: false,
            events: PhantomData,
        }
    }

    /// The same with other waits between tries.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Id of the last event that had one: give it to a new reader to go on from here.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// Failures in a row since the last event, for those who show that they are waiting.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

impl<E: Event> EventReader<E> {
    /// The next event; `None` when the stream has ended. It may be cancelled at any point and
    /// called again without losing an event.
    ///
    /// # Errors
    ///
    /// The reason why the stream cannot go on. The next call gives `None`.
    pub async fn next(&mut self) -> Option<Result<ClientEvent<E>, ApiError>> {
        while !self.ended {
            match self.step().await {
                Ok(Some(event)) => return Some(Ok(event)),
                Ok(None) => {}
                Err(error) => {
                    self.connection = None;
                    self.failures += 1;
                    match self.backoff.after(self.failures, &error) {
                        Some(pause) => self.pause = Some(pause),
                        None => {
                            self.ended = true;
                            return Some(Err(error));
                        }
                    }
                }
            }
        }
        None
    }

    /// The events as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<ClientEvent<E>, ApiError>> {
        stream::unfold(self, async |mut reader| {
            let event = reader.next().await?;
            Some((event, reader))
        })
    }

    /// Does the next thing: waits, connects, or reads on.
    async fn step(&mut self) -> Result<Option<ClientEvent<E>>, ApiError> {
        if let Some(pause) = self.pause {
            sleep(pause).await;
            self.pause = None;
        }
        let Some(connection) = &mut self.connection else {
            self.connection = self.connect().await?;
            self.ended = self.connection.is_none();
            return Ok(None);
        };
        if let Some(raw) = connection.decoder.next_event() {
            if let Some(retry) = connection.decoder.retry() {
                self.backoff.base = retry.min(self.backoff.cap);
            }
            return self.accept(raw).map(Some);
        }
        let piece = connection.response.chunk().await;
        match piece.map_err(|error| ApiError::interrupted(&error))? {
            Some(bytes) => connection
                .decoder
                .push(&bytes)
                .map_err(|error| ApiError::Protocol {
                    detail: error.to_string(),
                })?,
            None => {
                return Err(ApiError::Interrupted {
                    detail: "the stream ended before its last event".to_owned(),
                });
            }
        }
        Ok(None)
    }

    fn accept(&mut self, raw: RawEvent) -> Result<ClientEvent<E>, ApiError> {
        let event = E::read(&raw.name, &raw.data).map_err(|error| ApiError::Protocol {
            detail: error.to_string(),
        })?;
        self.failures = 0;
        self.ended = event.is_terminal();
        if let Some(id) = &raw.id {
            self.last_event_id = Some(id.clone());
        }
        Ok(ClientEvent { id: raw.id, event })
    }

    /// Connects; `None` if there is nothing left to read.
    async fn connect(&self) -> Result<Option<Connection>, ApiError> {
        let mut request = self.http.get(&self.url).header(ACCEPT, "text/event-stream");
        if let Some(id) = &self.last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request
            .send()
            .await
            .map_err(|error| ApiError::unreachable(&error))?;
        match response.status() {
            StatusCode::NO_CONTENT => Ok(None),
            StatusCode::OK if is_event_stream(&response) => Ok(Some(Connection {
                response,
                decoder: Decoder::default(),
            })),
            _ => Err(reply::from_response(response).await),
        }
    }
}

fn is_event_stream(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("text/event-stream"))
}
