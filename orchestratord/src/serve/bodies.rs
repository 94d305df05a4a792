//! Bodies with an eye on the other end: a request's that takes too long, a reply's whose reader has left.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use api_server::support::BodyOverdue;
use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::door::Request;
use super::socket::Peer;

/// The body of a request, which fails once it has taken too long from when it was first waited for.
pub(super) struct InTime {
    body: Incoming,
    limit: Duration,
    overdue: Option<Pin<Box<Sleep>>>,
}

impl InTime {
    pub(super) fn new(body: Incoming, limit: Duration) -> Self {
        Self {
            body,
            limit,
            overdue: None,
        }
    }
}

impl HttpBody for InTime {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let limit = self.limit;
        let overdue = self.overdue.get_or_insert_with(|| Box::pin(sleep(limit)));
        match overdue.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(BodyOverdue { limit }.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a reply. If it is a stream it ends with its reader: whoever closes its sending side while a
/// stream runs has left, while the reply to a question is sent all the same.
pub(super) struct WhileRead {
    body: Body,
    left: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _request: Request,
}

impl WhileRead {
    /// The body of the reply to `request`, which ends with it.
    pub(super) fn new(body: Body, peer: &Peer, request: Request) -> Self {
        let streams = body.size_hint().exact().is_none();
        let left = streams.then(|| peer.clone().left());
        Self {
            body,
            left: left.map(|left| Box::pin(left) as _),
            _request: request,
        }
    }
}

impl HttpBody for WhileRead {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending()
            && let Some(left) = &mut self.left
            && left.as_mut().poll(cx).is_ready()
        {
            self.left = None;
            let left = io::Error::from(io::ErrorKind::ConnectionAborted);
            return Poll::Ready(Some(Err(axum::Error::new(left))));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
