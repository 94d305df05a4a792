//! The live streams, by task.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use orchestrator_core::id::TaskId;
use orchestrator_core::task::TaskRecord;
use store::TaskText;

use super::live::{TaskStream, Terminal};

/// Every stream that somebody writes or reads. An ended task leaves it; its readers keep what they hold, and those
/// who come later share one copy of its text for as long as any of them reads.
#[derive(Debug, Default)]
pub struct StreamHub {
    streams: Mutex<HashMap<TaskId, Arc<TaskStream>>>,
    ended: Mutex<HashMap<TaskId, Weak<TaskStream>>>,
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

    /// Tokens that the stream of a task carries: what is live, or more if more is durable; what is durable
    /// once it has ended.
    pub fn position(&self, record: &TaskRecord) -> u64 {
        if record.state.is_final() {
            return record.position;
        }
        let live = self.find(record.id).map_or(0, |stream| stream.position());
        live.max(record.position)
    }

    /// The task has ended: its readers are told, and the next ones are served from the store. Whoever learns of
    /// the end says so, the owner's effect or a reader that finds the record ended; the first one counts.
    pub fn end(&self, task: TaskId, terminal: Terminal) {
        let stream = self.streams().remove(&task);
        if let Some(stream) = stream {
            stream.end(terminal);
        }
    }

    /// The stream of a task that has ended, from its record and its durable text, which never change again: the one
    /// that somebody reads already, or else this text.
    pub(super) fn ended(&self, record: &TaskRecord, text: &TaskText) -> Arc<TaskStream> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = ended.get(&record.id).and_then(Weak::upgrade) {
            return stream;
        }
        // What nobody reads any more goes with the next one that is read, so there are never many.
        ended.retain(|_, stream| stream.strong_count() > 0);
        let stream = Arc::new(TaskStream::ended(record, text));
        ended.insert(record.id, Arc::downgrade(&stream));
        stream
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

#[cfg(test)]
mod tests {
    use orchestrator_core::task::{TaskEnd, TaskFault};

    use super::*;

    #[test]
    fn an_end_told_twice_reaches_all_who_hold_the_stream_and_leaves_nothing_behind() {
        let hub = StreamHub::default();
        let task = TaskId(1);
        let (one, other) = (hub.open(task), hub.open(task));
        let (seen, also) = (one.subscribe(), other.subscribe());
        let end = TaskEnd::Failed {
            fault: TaskFault::WorkerReset,
            detail: String::new(),
        };
        let terminal = Terminal { end, position: 0 };
        hub.end(task, terminal.clone());
        hub.end(task, terminal);
        assert!(hub.is_empty());
        assert!(seen.has_changed().is_ok_and(|changed| changed));
        assert!(also.has_changed().is_ok_and(|changed| changed));
    }
}
