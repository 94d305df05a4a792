//! The live streams, by task.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orchestrator_core::id::TaskId;

use super::live::{TaskStream, Terminal};

/// Every stream that somebody writes or reads. An ended task leaves it; its readers keep what they hold.
#[derive(Debug, Default)]
pub struct StreamHub {
    streams: Mutex<HashMap<TaskId, Arc<TaskStream>>>,
}

impl StreamHub {
    fn streams(&self) -> MutexGuard<'_, HashMap<TaskId, Arc<TaskStream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of a task, made if nobody has asked for it yet.
    ///
    /// A reader opens the stream first and looks at the record second: an end that is committed after the
    /// look then finds the stream, so no reader waits for an end that has passed.
    pub fn open(&self, task: TaskId) -> Arc<TaskStream> {
        Arc::clone(self.streams().entry(task).or_default())
    }

    /// The stream of a task, if there is one.
    pub fn find(&self, task: TaskId) -> Option<Arc<TaskStream>> {
        self.streams().get(&task).map(Arc::clone)
    }

    /// The task has ended: its readers are told, and the next ones are served from the store.
    pub fn end(&self, task: TaskId, terminal: Terminal) {
        let stream = self.streams().remove(&task);
        if let Some(stream) = stream {
            stream.end(terminal);
        }
    }

    /// Forgets a stream that was opened for a task which is not live, unless somebody else holds it too.
    pub fn discard(&self, task: TaskId, opened: &Arc<TaskStream>) {
        let mut streams = self.streams();
        let ours = streams
            .get(&task)
            .is_some_and(|held| Arc::ptr_eq(held, opened));
        // One is the map's, one the caller's.
        if ours && Arc::strong_count(opened) <= 2 {
            streams.remove(&task);
        }
    }

    /// Streams held.
    pub fn len(&self) -> usize {
        self.streams().len()
    }

    /// True if none is held.
    pub fn is_empty(&self) -> bool {
        self.streams().is_empty()
    }
}
