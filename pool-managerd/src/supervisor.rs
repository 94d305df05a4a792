//! Starting and stopping a supervisor.

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::driver;
use crate::event::SupervisorEvent;
use crate::spec::{AdapterFactory, EngineSpec};

/// Keeps engine processes running.
#[derive(Debug)]
pub struct Supervisor;

impl Supervisor {
    /// Starts a process and keeps it running until the handle is stopped or dropped. `events` gets what
    /// happens; while it is full the supervisor waits, so it must be read. If its reader is gone the
    /// supervisor goes on without telling.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use = "dropping the handle kills the process"]
    pub fn start(
        spec: EngineSpec,
        adapters: AdapterFactory,
        events: mpsc::Sender<SupervisorEvent>,
    ) -> SupervisorHandle {
        let replica = spec.replica.clone();
        let (stop, stopped) = oneshot::channel();
        let task = driver::spawn(spec, adapters, events, stopped);
        SupervisorHandle {
            replica,
            stop: Some(stop),
            task,
        }
    }
}

/// A supervised process. Dropping it kills the process at once.
#[derive(Debug)]
pub struct SupervisorHandle {
    replica: String,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl SupervisorHandle {
    /// Name of the replica.
    #[must_use]
    pub fn replica(&self) -> &str {
        &self.replica
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
