//! Connections to the engine: kept open for the next generation, and opened anew where the engine has closed one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response};
use tokio::time::timeout;

use crate::timeouts::Timeouts;

/// Idle connections that are kept at most.
const IDLE_MAX: usize = 16;
/// How long one is kept: engines close theirs after 5 seconds.
const IDLE: Duration = Duration::from_secs(4);
/// A kept connection that the engine has closed shows that within this time.
const SHOWS_WITHIN: Duration = Duration::from_secs(1);
/// Time for the last bytes of a reply whose content has ended.
const LAST_BYTES: Duration = Duration::from_millis(100);

/// The way to one engine.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    kept: Client,
    /// Opens a connection for each request.
    fresh: Client,
    /// Replies that ended well since, and whose connections may therefore be there still.
    at_rest: Arc<AtomicUsize>,
}

impl Line {
    pub(crate) fn new(timeouts: &Timeouts) -> reqwest::Result<Self> {
        let client = || {
            ClientBuilder::new()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(timeouts.connect)
        };
        let kept = client().pool_max_idle_per_host(IDLE_MAX);
        Ok(Self {
            kept: kept.pool_idle_timeout(IDLE).build()?,
            fresh: client().pool_max_idle_per_host(0).build()?,
            at_rest: Arc::default(),
        })
    }

    /// What requests are built by that have a connection of their own.
    pub(crate) fn fresh(&self) -> &Client {
        &self.fresh
    }

    /// What requests are built by that take a kept connection if there is one.
    pub(crate) fn kept(&self) -> &Client {
        &self.kept
    }

    /// Sends a request by the kept connections and gives its response once the headers are here.
    ///
    /// An engine may close a connection, although it said that it would keep it, just as the next request is on its
    /// way. So a request that is cut off at once, where a connection was there to be used again, goes out once more
    /// on one of its own. If the engine is not there any more, the first failure is what is told.
    pub(crate) async fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        let less_one = |at_rest: usize| at_rest.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let may_be_closed = self.at_rest.fetch_update(set, fetch, less_one).is_ok();
        let again = request.try_clone().map(RequestBuilder::build);
        let sent = Instant::now();
        match (request.send().await, again) {
            (Err(first), Some(again))
                if may_be_closed && is_cut_off(&first) && sent.elapsed() < SHOWS_WITHIN =>
            {
                match self.fresh.execute(again?).await {
                    Err(error) if error.is_connect() => Err(first),
                    answer => answer,
                }
            }
            (answer, _) => answer,
        }
    }

    /// Keeps the connection of a reply whose content has ended: its last bytes are awaited apart from it, since
    /// nobody who wants the content has to wait for them.
    pub(crate) fn keep<B>(&self, mut body: B)
    where
        B: futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send + Unpin + 'static,
    {
        self.at_rest.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let to_the_end =
                async { while body.next().await.is_some_and(|piece| piece.is_ok()) {} };
            let _without_them_it_is_closed = timeout(LAST_BYTES, to_the_end).await;
        });
    }
}

/// Did the connection end before there was an answer?
fn is_cut_off(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}
