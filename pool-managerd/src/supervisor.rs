//! Starting and stopping a supervisor.

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::driver;
use crate::event::SupervisorEvent;
use crate::spec::{EngineSpec, ReplicaSpec};

/// Keeps engine processes running.
#[derive(Debug)]
pub struct Supervisor;

impl Supervisor {
    /// Starts a process and keeps it running until the handle is stopped or dropped. `events` gets what
    /// happens, once for each of the replicas that live in it; while it is full the supervisor waits, so it
    /// must be read. If its reader is gone the supervisor goes on without telling.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use = "dropping the handle kills the process"]
    pub fn start(
        spec: EngineSpec,
        replicas: Vec<ReplicaSpec>,
        events: mpsc::Sender<SupervisorEvent>,
    ) -> SupervisorHandle {
        let process = spec.process.clone();
        let (stop, stopped) = oneshot::channel();
        let task = driver::spawn(spec, replicas, events, stopped);
        SupervisorHandle {
            process,
            stop: Some(stop),
            task,
        }
    }
}

/// A supervised process. Dropping it kills the process at once.
#[derive(Debug)]
pub struct SupervisorHandle {
    process: String,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl SupervisorHandle {
    /// Name of the process.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Ends the process in order: ends its standard input, waits for the grace of its policy, then kills
    /// it. Returns when no process is left. No event tells of it.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // It fails only where the supervisor has given up already.
            let _ = stop.send(());
        }
        // It fails only where the runtime ends, which kills the process too.
        let _ = (&mut self.task).await;
    }
}

impl Drop for SupervisorHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}
