//! A reader is told of the end once, and of nothing after it.

use std::collections::BTreeMap;

use crate::frame::{Frame, ReadFrom, ReaderEvent};
use crate::id::{ReaderId, TaskId};
use crate::judge::Checker;
use crate::observation::{Event, Observation};
use crate::place::Place;
use crate::violation::{Harm, Property, Violation};

const PROPERTY: Property = Property {
    name: "one-terminal",
    harm: Harm::Spliced,
    says: "A stream begins once, ends with exactly one terminal frame, and nothing follows it",
};

/// Watches the order of frames on each connection, and that all readers of a task are told of one start and
/// one end.
#[derive(Debug, Default)]
pub(crate) struct OneTerminal {
    readers: BTreeMap<ReaderId, Connection>,
    starts: BTreeMap<TaskId, Frame>,
    ends: BTreeMap<TaskId, Frame>,
}

/// One connection of a reader.
#[derive(Debug)]
struct Connection {
    task: TaskId,
    /// The reader came back with the place of an end that it had been told of.
    had_end: bool,
    /// `started` may come: it read from the start and has had nothing else.
    start_due: bool,
    /// A connection that read from the start had neither `started` nor anything that excludes it.
    started: bool,
    over: bool,
    /// Place of the end, over all connections of the reader.
    end: Option<Place>,
}

impl OneTerminal {
    fn opened(&mut self, reader: ReaderId, task: TaskId, from: ReadFrom) {
        let before = self
            .readers
            .get(&reader)
            .filter(|before| before.task == task);
        let end = before.and_then(|before| before.end);
        let had_end = matches!(from, ReadFrom::After(place) if end == Some(place));
        let connection = Connection {
            task,
            had_end,
            start_due: from == ReadFrom::Start,
            started: from != ReadFrom::Start,
            over: false,
            end,
        };
        self.readers.insert(reader, connection);
    }

    fn frame(&mut self, reader: ReaderId, frame: &Frame) -> Result<(), Fault> {
        let Some(connection) = self.readers.get_mut(&reader) else {
            return Ok(());
        };
        let task = connection.task;
        let fault = |what: &str| Err((task, format!("reader {reader} {what}: {frame:?}")));
        if connection.over {
            return fault("was sent something after the end");
        }
        if connection.had_end {
            return fault("had been told of the end, came back, and was sent something");
        }
        match frame {
            Frame::Metrics { .. } => return Ok(()),
            Frame::Started { .. } if !connection.start_due => {
                return fault("was told of the start where it could not be");
            }
            Frame::Started { .. } => connection.started = true,
            Frame::Token { .. } if !connection.started => {
                return fault("was given a token before it was told of the start");
            }
            Frame::Token { .. } => {}
            Frame::End { place, .. } => {
                connection.over = true;
                connection.end = Some(*place);
            }
            Frame::Error { place, .. } => {
                connection.over = true;
                connection.end = place.or(connection.end);
            }
        }
        connection.start_due = false;
        self.agree(task, reader, frame)
    }

    /// Compares a start or an end with what other readers were told. Only a reader whose text is not the
    /// task's is told otherwise, and has no place.
    fn agree(&mut self, task: TaskId, reader: ReaderId, frame: &Frame) -> Result<(), Fault> {
        let told = match frame {
            Frame::Started { .. } => &mut self.starts,
            Frame::End { .. } | Frame::Error { place: Some(_), .. } => &mut self.ends,
            Frame::Error { place: None, .. } | Frame::Metrics { .. } | Frame::Token { .. } => {
                return Ok(());
            }
        };
        let first = told.entry(task).or_insert_with(|| frame.clone());
        if first == frame {
            return Ok(());
        }
        Err((
            task,
            format!("one reader was told {first:?}, and reader {reader} was told {frame:?}"),
        ))
    }
}

/// What is wrong, and with which task.
type Fault = (TaskId, String);

impl Checker for OneTerminal {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let Event::Reader { reader, event } = &seen.event else {
            return Ok(());
        };
        let judged = match event {
            ReaderEvent::Opened { task, from, .. } => {
                self.opened(*reader, *task, *from);
                Ok(())
            }
            ReaderEvent::Frame(frame) => self.frame(*reader, frame),
            ReaderEvent::NothingMore => match self.readers.get(reader) {
                Some(connection) if !connection.had_end => Err((
                    connection.task,
                    format!(
                        "reader {reader} was told that it has everything, before it had the end"
                    ),
                )),
                _ => Ok(()),
            },
            ReaderEvent::Closed(_) | ReaderEvent::Refused { .. } => Ok(()),
        };
        judged.map_err(|(task, what)| PROPERTY.broken(seen.at_ms, Some(task), what))
    }

    fn finish(&self) -> Vec<Violation> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ClosedBy;
    use crate::standing::Finish;
    use crate::story::{Story, end_of, started, token};

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(OneTerminal::default())
    }

    fn begun() -> Story {
        let mut story = Story::accepted();
        story.open(1, ReadFrom::Start);
        story.frame(1, started());
        story
    }

    /// A reader that has read to the end, and the place of it.
    fn ended() -> (Story, Place) {
        let mut story = begun();
        story.frame(1, token(&["old"], 0));
        let end = end_of(&["old"], Finish::Stop);
        let Frame::End { place, .. } = end else {
            unreachable!("it is an end");
        };
        story.frame(1, end);
        (story, place)
    }

    #[test]
    fn a_stream_begins_and_ends_once() {
        let (mut story, place) = ended();
        story.close(1, ClosedBy::Server);
        story.open(1, ReadFrom::After(place));
        story.reader(1, ReaderEvent::NothingMore);
        story.open(2, ReadFrom::Start);
        story.frame(2, started());
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn nothing_follows_the_end() {
        for frame in [token(&["old", " pond"], 1), end_of(&["old"], Finish::Stop)] {
            let (mut story, _) = ended();
            story.frame(1, frame.clone());
            assert_eq!(judge(&story).len(), 1);
            let (mut story, place) = ended();
            story.open(1, ReadFrom::After(place));
            story.frame(1, frame);
            assert_eq!(judge(&story).len(), 1);
        }
    }

    #[test]
    fn a_stream_does_not_begin_twice_nor_in_the_middle() {
        let mut twice = begun();
        twice.frame(1, started());
        let mut unstarted = Story::accepted();
        unstarted.open(1, ReadFrom::Start);
        unstarted.frame(1, token(&["old"], 0));
        for story in [twice, unstarted] {
            assert_eq!(judge(&story).len(), 1);
        }
    }

    #[test]
    fn all_readers_are_told_of_one_end() {
        let (mut story, _) = ended();
        story.open(2, ReadFrom::Start);
        story.frame(2, started());
        story.frame(2, end_of(&["old"], Finish::Length));
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn nobody_has_everything_before_the_end() {
        let mut story = begun();
        story.reader(1, ReaderEvent::NothingMore);
        assert_eq!(judge(&story).len(), 1);
    }
}
