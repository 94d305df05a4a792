//! Server-sent events, written.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use api_types::support::{Event, EventError};
use axum::body::Body;
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep};

/// Time of silence after which a comment tells reader and proxies that the stream lives.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Bytes after which ready events are sent rather than joined with the next.
const CHUNK_BYTES: usize = 16 * 1024;

/// One event, with the id to resume after it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerEvent<E> {
    /// Id of the event; a reader that comes back names the last one it has. No line breaks.
    pub id: Option<String>,
    /// The event.
    pub event: E,
}

/// A stream of events as the body of a reply. It ends after the first terminal event, or with
/// its source, which tells the reader to come back.
pub struct EventStream<E> {
    source: Pin<Box<dyn Stream<Item = ServerEvent<E>> + Send>>,
    keep_alive: Duration,
}

impl<E> EventStream<E> {
    /// A stream with the usual keep-alive.
    pub fn new(source: impl Stream<Item = ServerEvent<E>> + Send + 'static) -> Self {
        Self {
            source: Box::pin(source),
            keep_alive: KEEP_ALIVE,
        }
    }

    /// The same with another time of silence before a keep-alive comment.
    #[must_use]
    pub fn keep_alive(mut self, period: Duration) -> Self {
        self.keep_alive = period;
        self
    }
}

impl<E: Event + Send + 'static> EventStream<E> {
    pub(super) fn into_body(self) -> Body {
        Body::from_stream(Encoder {
            timer: Box::pin(sleep(self.keep_alive)),
            keep_alive: self.keep_alive,
            source: Some(self.source),
        })
    }
}

impl<E> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}

struct Encoder<E> {
    /// `None` once a terminal event was taken.
    source: Option<Pin<Box<dyn Stream<Item = ServerEvent<E>> + Send>>>,
    timer: Pin<Box<Sleep>>,
    keep_alive: Duration,
}

impl<E: Event> Encoder<E> {
    /// Joins the events that are ready now.
    fn take_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<String, EventError>> {
        let mut chunk = String::new();
        while let Some(source) = &mut self.source {
            match source.as_mut().poll_next(cx) {
                Poll::Ready(Some(event)) => {
                    if event.event.is_terminal() {
                        self.source = None;
                    }
                    write(&event, &mut chunk)?;
                    if chunk.len() >= CHUNK_BYTES {
                        break;
                    }
                }
                Poll::Ready(None) => self.source = None,
                Poll::Pending if chunk.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(chunk))
    }
}

impl<E: Event> Stream for Encoder<E> {
    type Item = Result<Bytes, EventError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.take_ready(cx) {
            Poll::Ready(Ok(chunk)) if chunk.is_empty() => return Poll::Ready(None),
            Poll::Ready(Ok(chunk)) => {
                self.rewind();
                return Poll::Ready(Some(Ok(Bytes::from(chunk))));
            }
            // The reply breaks off, and the reader comes back for what it lacks.
            Poll::Ready(Err(error)) => {
                self.source = None;
                return Poll::Ready(Some(Err(error)));
            }
            Poll::Pending => {}
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                self.rewind();
                Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))))
            }
        }
    }
}

impl<E> Encoder<E> {
    fn rewind(&mut self) {
        let next = Instant::now() + self.keep_alive;
        self.timer.as_mut().reset(next);
    }
}

fn write<E: Event>(event: &ServerEvent<E>, out: &mut String) -> Result<(), EventError> {
    if let Some(id) = &event.id {
        debug_assert!(!id.contains(['\n', '\r', '\0']), "id {id:?}");
        out.push_str("id: ");
        out.extend(id.chars().filter(|c| !matches!(c, '\n' | '\r' | '\0')));
        out.push('\n');
    }
    out.push_str("event: ");
    out.push_str(event.event.name());
    // What this version wrote is one line; what it passes on unread may have more.
    for line in event.event.data()?.split('\n') {
        out.push_str("\ndata: ");
        out.push_str(line);
    }
    out.push_str("\n\n");
    Ok(())
}
