//! Connections to the engine: kept open, and opened anew where the engine has closed one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use tower::{Layer, Service};

use crate::timeouts::Timeouts;

/// Idle connections that are kept at most.
const IDLE_MAX: usize = 16;
/// How long one is kept: engines close theirs after 5 seconds.
const IDLE: Duration = Duration::from_secs(4);

/// The way to one engine.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    client: Client,
    opened: Opened,
}

impl Line {
    pub(crate) fn new(timeouts: &Timeouts) -> reqwest::Result<Self> {
        let opened = Opened::default();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            .pool_max_idle_per_host(IDLE_MAX)
            .pool_idle_timeout(IDLE)
            .connector_layer(opened.clone())
            .build()?;
        Ok(Self { client, opened })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request and gives its response once the headers are here.
    ///
    /// An engine may close a connection, although it said that it would keep it, in the moment in which the next
    /// request is on its way. Such a request was never taken, and goes out once more. That this is what happened, and
    /// not that the engine broke over this request, shows in that no connection was opened for it.
    pub(crate) async fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        for _ in 0..IDLE_MAX {
            let Some(again) = request.try_clone() else {
                break;
            };
            let opened = self.opened.count();
            match again.send().await {
                Err(error) if is_cut_off(&error) && self.opened.count() == opened => {}
                answer => return answer,
            }
        }
        request.send().await
    }
}

/// Did the connection end before there was an answer?
fn is_cut_off(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout() && !error.is_builder()
}

/// Counts the connections that are opened.
#[derive(Clone, Debug, Default)]
struct Opened(Arc<AtomicU64>);

impl Opened {
    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> Layer<S> for Opened {
    type Service = Counted<S>;

    fn layer(&self, connector: S) -> Counted<S> {
        Counted {
            connector,
            opened: self.clone(),
        }
    }
}

/// What opens them.
#[derive(Clone, Debug)]
struct Counted<S> {
    connector: S,
    opened: Opened,
}

impl<R, S: Service<R>> Service<R> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: R) -> S::Future {
        self.opened.0.fetch_add(1, Ordering::Relaxed);
        self.connector.call(target)
    }
}
