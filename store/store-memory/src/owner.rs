//! The owner's face.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orchestrator_core::id::{Epoch, TaskId};
use orchestrator_core::task::TaskRecord;
use store::{ColdStore, Commit, CommitError, Loaded, OwnerStore, Probe, ReadError};

use crate::faults::{Fault, Faults};
use crate::state::State;

/// A store in memory. Clones share what is kept and the faults ahead.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    faults: Faults,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What goes wrong from now on; nothing, unless a test says so.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// A copy of what is durable now, of its own and without faults: the disk after a crash.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self {
            state: Arc::new(Mutex::new(self.state().clone())),
            faults: Faults::default(),
        }
    }

    /// What a load would find now, without beginning a term: for whoever compares an owner with its store.
    #[must_use]
    pub fn peek(&self) -> Loaded {
        self.state().load()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OwnerStore for MemoryStore {
    fn load(&mut self) -> Result<Loaded, ReadError> {
        if self.faults.next_load_fails() {
            return Err(ReadError("the load fails as planned".into()));
        }
        let mut state = self.state();
        state.epoch.0 += 1;
        Ok(state.load())
    }

    fn cold(&self) -> Result<Box<dyn ColdStore>, ReadError> {
        Ok(Box::new(self.clone()))
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        let fault = self.faults.next_commit();
        let mut state = self.state();
        match fault {
            None => state.commit(commit),
            Some(Fault::NotApplied) => Err(CommitError::NotApplied("it is busy as planned".into())),
            Some(Fault::Broken) => Err(CommitError::Broken("a guard fails as planned".into())),
            Some(Fault::Fenced) => {
                state.epoch.0 += 1;
                state.commit(commit)
            }
            Some(Fault::Unknown { applied }) => {
                if applied {
                    state.commit(commit)?;
                }
                Err(CommitError::Unknown("the answer is lost as planned".into()))
            }
        }
    }

    fn probe(&mut self, epoch: Epoch) -> Result<Probe, CommitError> {
        if self.faults.next_probe_fails() {
            return Err(CommitError::Unknown("the probe fails as planned".into()));
        }
        let mut state = self.state();
        if state.epoch != epoch {
            return Err(CommitError::Fenced(format!(
                "term {} is over, {} has begun",
                epoch.0, state.epoch.0
            )));
        }
        state.epoch.0 += 1;
        Ok(Probe {
            epoch: state.epoch,
            commit_seq: state.commit_seq,
        })
    }
}

impl ColdStore for MemoryStore {
    fn prefetch(&mut self, tasks: &[TaskId]) -> Result<Vec<TaskRecord>, ReadError> {
        if self.faults.next_prefetch_fails() {
            return Err(ReadError("the prefetch fails as planned".into()));
        }
        let state = self.state();
        Ok(tasks
            .iter()
            .filter_map(|task| state.task(*task))
            .filter(|task| task.record.state.is_final())
            .map(|task| task.record.clone())
            .collect())
    }
}
