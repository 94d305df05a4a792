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

/// What became of a stream.
#[derive(Debug)]
pub enum Turn<E> {
    /// An event came.
    Event(ClientEvent<E>),
    /// The connection broke or could not be made. The next call waits, and tries again.
    Lost {
        /// Failures in a row since the last event, from 1.
        failures: u32,
        /// The latest of them.
        error: ApiError,
    },
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
    /// It was connected at least once.
    opened: bool,
    /// Without that, the first failure is the last.
    must_open: bool,
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
            opened: false,
            must_open: false,
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

    /// The same, but what fails before the stream was ever open is given to the caller at once:
    /// for those who do not know yet whether there is a server.
    #[must_use]
    pub fn with_first_failure_final(mut self) -> Self {
        self.must_open = true;
        self
    }

    /// Whether it was connected at least once.
    pub fn opened(&self) -> bool {
        self.opened
    }

    /// Id of the last event that had one: give it to a new reader to go on from here.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
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
        loop {
            match self.turn().await? {
                Ok(Turn::Event(event)) => return Some(Ok(event)),
                Ok(Turn::Lost { .. }) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// As [`Self::next`], but returns also at each failure after which it will try again, for those
    /// who show that they are waiting. It may be cancelled at any point, too.
    ///
    /// # Errors
    ///
    /// As [`Self::next`].
    pub async fn turn(&mut self) -> Option<Result<Turn<E>, ApiError>> {
        while !self.ended {
            match self.step().await {
                Ok(Some(event)) => return Some(Ok(Turn::Event(event))),
                Ok(None) => {}
                Err(error) => return Some(self.fail(error)),
            }
        }
        None
    }

    /// Decides whether to try again.
    fn fail(&mut self, error: ApiError) -> Result<Turn<E>, ApiError> {
        self.connection = None;
        self.failures += 1;
        let pause = self.backoff.after(self.failures, &error);
        match pause.filter(|_| self.opened || !self.must_open) {
            Some(pause) => {
                self.pause = Some(pause);
                Ok(Turn::Lost {
                    failures: self.failures,
                    error,
                })
            }
            None => {
                self.ended = true;
                Err(error)
            }
        }
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
            self.opened = true;
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
