//! Finds what there is to read of a task, without I/O.

use std::sync::Arc;

use orchestrator_core::id::TaskId;
use orchestrator_core::task::{OnDisconnect, TaskRecord};
use store::TaskText;

use super::hub::StreamHub;
use super::live::{TaskStream, Terminal};
use super::reader::{ReadFrom, ReaderState};

/// What an opener needs next.
#[derive(Debug)]
pub enum OpenerStep {
    /// It is done.
    Opened(Box<Opened>),
    /// The task's record, as it stands in the store from now on: see [`Opener::record`]. If there is no such
    /// task there is nothing to open.
    Record,
    /// The task's durable text, as it stands in the store from now on: see [`Opener::text`].
    Text,
}

/// A task whose stream is open.
#[derive(Debug)]
pub struct Opened {
    /// Its record, as it was looked up last.
    pub record: TaskRecord,
    /// What there is to read.
    pub reading: Reading,
}

/// What there is to read of a task.
#[derive(Debug)]
pub enum Reading {
    /// All of it, from the store; `None` if the reader has seen everything, the terminal frame included.
    Ended(Option<ReaderState>),
    /// What there is and what comes.
    Live {
        /// The reader.
        reader: ReaderState,
        /// Its coming and going is counted there if the task ends with its last reader.
        counted: Option<Arc<TaskStream>>,
    },
}

/// Finds what there is to read of a task, live or after the fact, so that no end is missed in between.
///
/// # How to drive it
///
/// Make it, look the record up and pass it in; do what each step says until it is done.
#[derive(Debug)]
pub struct Opener {
    streams: Arc<StreamHub>,
    from: ReadFrom,
    /// The stream that was there before the first look, if one was.
    found: Option<Arc<TaskStream>>,
    /// The live stream, once it is open.
    stream: Option<Arc<TaskStream>>,
    /// The record that the text is read for.
    record: Option<TaskRecord>,
}

impl Opener {
    /// Of a task and the streams here, for a reader that stands there. It begins with the record.
    #[must_use]
    pub fn new(streams: Arc<StreamHub>, task: TaskId, from: ReadFrom) -> Self {
        Self {
            found: streams.find(task),
            streams,
            from,
            stream: None,
            record: None,
        }
    }

    /// Takes the record in.
    pub fn record(&mut self, record: TaskRecord) -> OpenerStep {
        let Some(stream) = self.stream.take().or_else(|| self.found_live(&record)) else {
            // Looked at first: an unknown or ended task never has a live stream opened for it.
            return if record.state.is_final() {
                self.record = Some(record);
                OpenerStep::Text
            } else {
                self.stream = Some(self.streams.open(record.id));
                // Looked at again: an end that was committed before the stream was open has not found it,
                // and one that is committed from here on does.
                OpenerStep::Record
            };
        };
        if let (true, Some(end)) = (record.state.is_final(), record.end.clone()) {
            // The owner's word may have come before the stream was open, so it is said again.
            let position = record.position;
            self.streams.end(record.id, Terminal { end, position });
            self.record = Some(record);
            return OpenerStep::Text;
        }
        // Before the text, so that no reader of the same stream finds a token and no start.
        if let Some(started) = record.started.clone() {
            stream.start(*started, record.accepted_position, record.spec.seed);
        }
        if record.position > stream.position() {
            self.stream = Some(stream);
            self.record = Some(record);
            return OpenerStep::Text;
        }
        self.live(stream, record)
    }

    /// The stream that was there before the look and is there after it, which makes a second look needless: the
    /// record is of the time between, so that every end it does not tell of finds this stream.
    fn found_live(&mut self, record: &TaskRecord) -> Option<Arc<TaskStream>> {
        let found = self.found.take()?;
        let there = self.streams.find(record.id)?;
        (!record.state.is_final() && Arc::ptr_eq(&found, &there)).then_some(found)
    }

    /// Takes the durable text in, which is none if there is none. Without a record it asks for that.
    pub fn text(&mut self, text: Option<TaskText>) -> OpenerStep {
        let Some(record) = self.record.take() else {
            return OpenerStep::Record;
        };
        let text = text.unwrap_or_default();
        let Some(stream) = self.stream.take() else {
            let stream = self.streams.ended(&record, &text);
            let reading = Reading::Ended(ReaderState::ended(stream, self.from));
            return OpenerStep::Opened(Box::new(Opened { record, reading }));
        };
        // An attempt that has begun meanwhile may have written more, but not something else.
        let _same = stream.seed(&text);
        self.live(stream, record)
    }

    fn live(&self, stream: Arc<TaskStream>, record: TaskRecord) -> OpenerStep {
        let ends_with_readers = record.spec.on_disconnect == OnDisconnect::Cancel;
        let counted = ends_with_readers.then(|| Arc::clone(&stream));
        let reader = ReaderState::live(stream, self.from);
        let reader = match record.spec.session {
            None => reader,
            Some(_) => reader.metered(),
        };
        let reading = Reading::Live { reader, counted };
        OpenerStep::Opened(Box::new(Opened { record, reading }))
    }
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
