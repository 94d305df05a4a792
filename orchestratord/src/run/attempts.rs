//! Follows the attempts under way in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orchestrator_core::effect::{AttemptOrder, Effect};
use orchestrator_core::id::{AttemptId, TaskId};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::attempt::{AttemptReport, Follower, Reporter};
use super::roster::{Deed, Roster};
use crate::stream::{StreamHub, TaskStream};

/// Starts and stops attempts, and tells streams. Everything is harmless when done twice.
pub struct Attempts<R> {
    follower: Arc<Follower<R>>,
    running: Arc<Mutex<Running>>,
    runtime: Handle,
}

struct Running {
    roster: Roster,
    /// Turned true when the attempt is stopped.
    stops: HashMap<AttemptId, watch::Sender<bool>>,
}

impl<R: Reporter> Attempts<R> {
    /// None yet. They run on `runtime`.
    pub fn new(follower: Follower<R>, streams: Arc<StreamHub>, runtime: Handle) -> Self {
        let running = Running {
            roster: Roster::new(streams),
            stops: HashMap::new(),
        };
        Self {
            follower: Arc::new(follower),
            running: Arc::new(Mutex::new(running)),
            runtime,
        }
    }

    /// Carries out an effect. An attempt reads its prompt from the store, unless `prompts` has it.
    pub fn carry_out(&self, effect: Effect, prompts: &mut HashMap<TaskId, String>) {
        let mut running = lock(&self.running);
        match running.roster.carry_out(effect) {
            None => {}
            Some(Deed::Follow { order, stream }) => {
                let (stop, stopped) = watch::channel(false);
                running.stops.insert(order.attempt, stop);
                drop(running);
                let prompt = prompts.remove(&order.task);
                self.follow(*order, prompt, stream, stopped);
            }
            Some(Deed::ReportLost { attempt, report }) => {
                drop(running);
                self.report(attempt, report);
            }
            Some(Deed::Stop(attempt)) => {
                if let Some(stop) = running.stops.get(&attempt) {
                    stop.send_replace(true);
                }
            }
        }
    }

    fn follow(
        &self,
        order: AttemptOrder,
        prompt: Option<String>,
        stream: Arc<TaskStream>,
        stopped: watch::Receiver<bool>,
    ) {
        let follower = Arc::clone(&self.follower);
        let running = Arc::clone(&self.running);
        self.runtime.spawn(async move {
            let attempt = order.attempt;
            follower.follow(order, prompt, stream, stopped).await;
            let mut running = lock(&running);
            running.roster.over(attempt);
            running.stops.remove(&attempt);
        });
    }

    fn report(&self, attempt: AttemptId, report: AttemptReport) {
        tracing::debug!(%attempt, "an attempt that does not run here is to be stopped");
        let reporter = Arc::clone(&self.follower.reporter);
        self.runtime
            .spawn(async move { reporter.report(attempt, report).await });
    }

    /// Number of attempts under way.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.running).roster.len()
    }
}

fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
