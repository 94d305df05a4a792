//! Engines that someone else runs: proven, watched, and never restarted by us.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use worker_adapter::{Adapter, Health};

use crate::digest::Digests;
use crate::event::{News, SupervisorEvent};
use crate::readiness::{Progress, Proven, prove};
use crate::spec::{ReplicaSpec, Watch};

/// Time after which an engine that does not prove itself is told of as down, once; the proof goes on.
const FIRST_WORD_AFTER: Duration = Duration::from_secs(10);

/// Watches engines that run already.
#[derive(Debug)]
pub struct Attached;

/// A watched engine. Dropping it ends the watching; the engine goes on.
#[derive(Debug)]
pub struct AttachedHandle {
    task: JoinHandle<()>,
    suspicion: Suspicion,
}

/// A way to tell a watcher that its engine did not answer somebody. It may outlive the watching.
#[derive(Clone, Debug, Default)]
pub struct Suspicion(Arc<Notify>);

impl Suspicion {
    /// Has the engine's health checked at once, instead of when the next check is due; if that check fails,
    /// the engine is told of as down without waiting for more. Suspicions raised before the check count as
    /// one.
    pub fn raise(&self) {
        self.0.notify_one();
    }
}

impl Attached {
    /// Proves the engine at a base URL and watches it, for as long as the handle lives. The replicas that live
    /// in it are told of as those of a supervised one are, but never as given up: whoever runs it may start it
    /// again at any time.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use = "dropping the handle ends the watching"]
    pub fn start(
        url: String,
        watch: Watch,
        replicas: Vec<ReplicaSpec>,
        events: mpsc::Sender<SupervisorEvent>,
    ) -> AttachedHandle {
        let suspicion = Suspicion::default();
        let engine = Engine {
            url,
            watch,
            replicas,
            events,
            suspicion: suspicion.clone(),
            run: 0,
        };
        AttachedHandle {
            task: tokio::spawn(engine.follow()),
            suspicion,
        }
    }
}

impl AttachedHandle {
    /// Where to tell that the engine did not answer.
    #[must_use]
    pub fn suspicion(&self) -> Suspicion {
        self.suspicion.clone()
    }
}

impl Drop for AttachedHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Engine {
    url: String,
    watch: Watch,
    replicas: Vec<ReplicaSpec>,
    events: mpsc::Sender<SupervisorEvent>,
    suspicion: Suspicion,
    run: u32,
}

impl Engine {
    async fn follow(mut self) {
        let digests = Digests::default();
        loop {
            self.run = self.run.saturating_add(1);
            let proven = self.proven(&digests).await;
            // The health of one is that of the engine.
            let adapter = proven.first().map(|first| Arc::clone(&first.adapter));
            for one in proven {
                let news = News::Ready {
                    url: one.url,
                    facts: one.facts,
                    adapter: one.adapter,
                };
                self.tell(one.replica, news).await;
            }
            // Without replicas there is nothing to watch.
            let Some(adapter) = adapter else { return };
            let detail = self.until_lost(&*adapter).await;
            self.tell_down(&detail).await;
        }
    }

    /// Proves the engine, however long that takes; says once what it waits for.
    async fn proven(&self, digests: &Digests) -> Vec<Proven> {
        let mut told = false;
        loop {
            let progress = Progress::new();
            let (tell, url) = oneshot::channel();
            let _read = tell.send(self.url.clone());
            let mut proof = pin!(prove(
                url,
                self.replicas.clone(),
                digests.clone(),
                progress.clone(),
            ));
            let early = timeout(FIRST_WORD_AFTER, proof.as_mut()).await;
            let outcome = match early {
                Ok(outcome) => outcome,
                Err(_) => {
                    // A proof that is begun anew would never be done where it takes longer than this.
                    self.tell_unready(&mut told, &progress.clause()).await;
                    proof.await
                }
            };
            match outcome {
                Ok(proven) => return proven,
                Err(trouble) => {
                    self.tell_unready(&mut told, &trouble).await;
                    sleep(self.watch.interval).await;
                }
            }
        }
    }

    async fn tell_unready(&self, told: &mut bool, trouble: &str) {
        if *told {
            return;
        }
        *told = true;
        let detail = format!("{} is not ready: {trouble}", self.url);
        self.tell_down(&detail).await;
    }

    async fn tell_down(&self, detail: &str) {
        for replica in &self.replicas {
            let news = News::Down {
                detail: detail.to_owned(),
                exit: None,
            };
            self.tell(replica.name.clone(), news).await;
        }
    }

    /// Watches until too many checks in a row had no good answer, or one that a suspicion asked for; says
    /// what the last one was.
    async fn until_lost(&self, adapter: &dyn Adapter) -> String {
        let mut misses = 0;
        loop {
            let suspected = tokio::select! {
                () = self.suspicion.0.notified() => true,
                () = sleep(self.watch.interval) => false,
            };
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
            if suspected {
                return format!(
                    "it failed a caller, and then the health check that followed: {trouble}"
                );
            }
            if misses >= self.watch.misses {
                return format!("{misses} health checks in a row failed; the last: {trouble}");
            }
        }
    }

    async fn tell(&self, replica: String, news: News) {
        let event = SupervisorEvent {
            replica,
            run: self.run,
            news,
        };
        // A reader that is gone needs no news.
        let _gone = self.events.send(event).await;
    }
}
