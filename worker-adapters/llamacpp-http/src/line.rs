//! Connections to the engine: kept open, and opened anew where the engine has closed one.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, RequestBuilder, Response};

use crate::timeouts::Timeouts;

/// Idle connections that are kept at most.
const IDLE_MAX: usize = 16;
/// How long one is kept: engines close theirs after 5 seconds.
const IDLE: Duration = Duration::from_secs(4);

/// The way to one engine.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    kept: Client,
    /// Opens a connection for each request.
    fresh: Client,
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
        })
    }

    /// What requests are built by.
    pub(crate) fn client(&self) -> &Client {
        &self.kept
    }

    /// Sends a request and gives its response once the headers are here.
    ///
    /// An engine may close a connection, although it said that it would keep it, just as the next request is on its
    /// way. So a request that is cut off before its answer goes out once more, on a connection of its own. If the
    /// engine is not there any more, the first failure is what is told.
    pub(crate) async fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        let again = request.try_clone().map(RequestBuilder::build);
        match (request.send().await, again) {
            (Err(first), Some(again)) if is_cut_off(&first) => {
                match self.fresh.execute(again?).await {
                    Err(error) if error.is_connect() => Err(first),
                    answer => answer,
                }
            }
            (answer, _) => answer,
        }
    }
}

/// Did the connection end before there was an answer?
fn is_cut_off(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}
