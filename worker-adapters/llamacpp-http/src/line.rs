//! Connections to the engine: one for each request, or kept open where the engine promises to keep them.
//!
//! Only a promise of `keeps_connections` counts, and no header: `llama-server` sends `Keep-Alive` and closes after each
//! stream all the same. A request that meets such a close is lost, and must not go out again: whether the engine has
//! begun with it nobody can know, and no attempt generates twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::{Client, ClientBuilder};
use tokio::time::timeout;

use crate::timeouts::Timeouts;

/// Idle connections that are kept at most.
const IDLE_MAX: usize = 16;
/// How long one is kept.
const IDLE: Duration = Duration::from_secs(4);
/// Time for the last bytes of a reply whose content has ended.
const LAST_BYTES: Duration = Duration::from_millis(100);

/// The way to one engine.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    kept: Client,
    /// Opens a connection for each request.
    fresh: Client,
    /// What the engine promised last.
    keeps: Arc<AtomicBool>,
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
            keeps: Arc::default(),
        })
    }

    /// Takes in what the engine promises.
    pub(crate) fn promised(&self, keeps: bool) {
        self.keeps.store(keeps, Ordering::Relaxed);
    }

    /// What plain calls are built by.
    pub(crate) fn fresh(&self) -> &Client {
        &self.fresh
    }

    /// What generations are built by.
    pub(crate) fn client(&self) -> &Client {
        if self.keeps.load(Ordering::Relaxed) {
            &self.kept
        } else {
            &self.fresh
        }
    }

    /// Lets the connection of a reply whose content has ended come to rest: its last bytes are awaited apart, since
    /// nobody who wants the content has to wait for them. Without them it is closed.
    pub(crate) fn rest<B>(&self, mut body: B)
    where
        B: Stream<Item = reqwest::Result<Bytes>> + Send + Unpin + 'static,
    {
        if self.keeps.load(Ordering::Relaxed) {
            tokio::spawn(async move {
                let to_the_end =
                    async { while body.next().await.is_some_and(|piece| piece.is_ok()) {} };
                let _in_time = timeout(LAST_BYTES, to_the_end).await;
            });
        }
    }
}
