//! The attempts under way in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::id::{AttemptId, TaskId};
use orchestrator_core::task::TaskFault;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::attempt::{AttemptReport, Follower, Reporter};
use crate::stream::{StreamHub, TaskStream};

/// Starts and stops attempts. Both are harmless when done twice.
pub struct Attempts<R> {
    follower: Arc<Follower<R>>,
    streams: Arc<StreamHub>,
    running: Arc<Mutex<HashMap<AttemptId, Running>>>,
    runtime: Handle,
}

struct Running {
    stream: Arc<TaskStream>,
    stop: watch::Sender<bool>,
}

impl<R: Reporter> Attempts<R> {
    /// None yet. They run on `runtime`.
    pub fn new(follower: Follower<R>, streams: Arc<StreamHub>, runtime: Handle) -> Self {
        Self {
            follower: Arc::new(follower),
            streams,
            running: Arc::default(),
            runtime,
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<AttemptId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an attempt, unless it runs already. From here on it is the one that writes the task's text.
    pub fn start(&self, order: AttemptOrder) {
        let mut running = self.running();
        if running.contains_key(&order.attempt) {
            return;
        }
        let stream = self.streams.open(order.task);
        stream.begin(order.attempt, order.number);
        let (stop, stopped) = watch::channel(false);
        running.insert(
            order.attempt,
            Running {
                stream: Arc::clone(&stream),
                stop,
            },
        );
        drop(running);
        let follower = Arc::clone(&self.follower);
        let all = Arc::clone(&self.running);
        self.runtime.spawn(async move {
            follower.follow(&order, &stream, stopped).await;
            all.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&order.attempt);
        });
    }

    /// Stops an attempt: it writes no token from here on, and reports its end. One that does not run here is
    /// reported as lost, so that nobody waits for it.
    pub fn cancel(&self, attempt: AttemptId, task: TaskId) {
        if let Some(running) = self.running().get(&attempt) {
            running.stream.revoke(attempt);
            running.stop.send_replace(true);
            return;
        }
        tracing::debug!(%attempt, %task, "an attempt that does not run here is to be stopped");
        let reporter = Arc::clone(&self.follower.reporter);
        self.runtime.spawn(async move {
            let detail = "it does not run in this process".to_owned();
            reporter
                .report(
                    attempt,
                    AttemptReport::Failed {
                        fault: TaskFault::Interrupted,
                        detail,
                    },
                )
                .await;
        });
    }

    /// Number of attempts under way.
    #[must_use]
    pub fn count(&self) -> usize {
        self.running().len()
    }
}
