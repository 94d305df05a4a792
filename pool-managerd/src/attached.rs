//! Engines that someone else runs: proven, watched, and never restarted by us.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use worker_adapter::{Adapter, Health};

use crate::digest::Digests;
use crate::event::{News, SupervisorEvent};
use crate::readiness::{Progress, Proven, prove};
use crate::spec::{AdapterFactory, Watch};

/// Time after which an engine that does not prove itself is told of as down, once; it is tried on.
const FIRST_WORD_AFTER: Duration = Duration::from_secs(10);

/// Watches engines that run already.
#[derive(Debug)]
pub struct Attached;

/// A watched engine. Dropping it ends the watching; the engine goes on.
#[derive(Debug)]
pub struct AttachedHandle {
    task: JoinHandle<()>,
}

impl Attached {
    /// Proves the engine at a base URL and watches it, for as long as the handle lives. It is told of as a
    /// supervised one is, but never as given up: whoever runs it may start it again at any time.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use = "dropping the handle ends the watching"]
    pub fn start(
        replica: String,
        url: String,
        watch: Watch,
        adapters: AdapterFactory,
        events: mpsc::Sender<SupervisorEvent>,
    ) -> AttachedHandle {
        let engine = Engine {
            replica,
            url,
            watch,
            adapters,
            events,
            run: 0,
        };
        AttachedHandle {
            task: tokio::spawn(engine.follow()),
        }
    }
}

impl Drop for AttachedHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Engine {
    replica: String,
    url: String,
    watch: Watch,
    adapters: AdapterFactory,
    events: mpsc::Sender<SupervisorEvent>,
    run: u32,
}

impl Engine {
    async fn follow(mut self) {
        let digests = Digests::default();
        loop {
            self.run = self.run.saturating_add(1);
            let proven = self.proven(&digests).await;
            let adapter = proven.adapter.clone();
            self.tell(News::Ready {
                url: proven.url,
                facts: proven.facts,
                adapter: proven.adapter,
            })
            .await;
            let detail = self.until_lost(&*adapter).await;
            self.tell(News::Down { detail, exit: None }).await;
        }
    }

    /// Proves the engine, however long that takes; says once what it waits for, and each time that is final.
    async fn proven(&self, digests: &Digests) -> Proven {
        let mut told = false;
        loop {
            let progress = Progress::new();
            let (tell, url) = oneshot::channel();
            let _read = tell.send(self.url.clone());
            let proof = prove(
                url,
                self.adapters.clone(),
                digests.clone(),
                progress.clone(),
            );
            let outcome = timeout(FIRST_WORD_AFTER, proof).await;
            let trouble = match outcome {
                Ok(Ok(proven)) => return proven,
                Ok(Err(detail)) => {
                    sleep(self.watch.interval).await;
                    detail
                }
                Err(_) => progress.clause(),
            };
            if !told {
                told = true;
                let detail = format!("{} is not ready: {trouble}", self.url);
                self.tell(News::Down { detail, exit: None }).await;
            }
        }
    }

    /// Watches until too many checks in a row had no good answer; says what the last one was.
    async fn until_lost(&self, adapter: &dyn Adapter) -> String {
        let mut misses = 0;
        loop {
            sleep(self.watch.interval).await;
            let trouble = match timeout(self.watch.timeout, adapter.health()).await {
                Ok(Ok(Health::Ready)) => {
                    misses = 0;
                    continue;
                }
                Ok(Ok(Health::Loading)) => "it loads its model again".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {} ms", self.watch.timeout.as_millis()),
            };
            misses += 1;
            if misses >= self.watch.misses {
                return format!("{misses} health checks in a row failed; the last: {trouble}");
            }
        }
    }

    async fn tell(&self, news: News) {
        let event = SupervisorEvent {
            replica: self.replica.clone(),
            run: self.run,
            news,
        };
        // A reader that is gone needs no news.
        let _gone = self.events.send(event).await;
    }
}
