//! Nothing waits for ever once everything works again.

use std::collections::BTreeMap;

use crate::conversation::Answer;
use crate::exchange::Exchanges;
use crate::frame::ReaderEvent;
use crate::id::{ReaderId, TaskId};
use crate::judge::Checker;
use crate::observation::{Event, Observation, Phase};
use crate::standing::State;
use crate::violation::{Harm, Property, Violation};

use crate::conversation::Ask;

const PROPERTY: Property = Property {
    name: "nothing-stuck",
    harm: Harm::Stuck,
    says: "Once everything works again, every task comes to rest and every reader is told",
};

/// Watches that tasks come to rest after healing, and that whoever reads then is told of the end.
#[derive(Debug, Default)]
pub(crate) struct NothingStuck {
    exchanges: Exchanges,
    phase: Option<Phase>,
    over_at_ms: u64,
    /// The state in which a task was seen last; none if it was only acknowledged.
    tasks: BTreeMap<TaskId, Option<State>>,
    /// Readers that came after healing and have not been told of the end.
    waiting: BTreeMap<ReaderId, TaskId>,
}

impl NothingStuck {
    fn answered(&mut self, ask: &Ask, answer: &Answer) {
        match (ask, answer) {
            (_, Answer::Accepted { task, .. }) => {
                self.tasks.entry(*task).or_insert(None);
            }
            (Ask::Cancel { task } | Ask::Record { task }, answer) => {
                if let Answer::Record(record) | Answer::Cancelled(record) = answer {
                    self.tasks.insert(*task, Some(record.state));
                }
            }
            (Ask::Result { task }, Answer::Result(outcome)) => {
                self.tasks.insert(*task, Some(outcome.state));
            }
            (_, Answer::Census(listed)) => {
                for row in listed {
                    self.tasks.insert(row.task, Some(row.state));
                }
            }
            _ => {}
        }
    }

    fn reader(&mut self, reader: ReaderId, event: &ReaderEvent) {
        let healed = self.phase >= Some(Phase::Healed);
        match event {
            ReaderEvent::Opened { task, .. } if healed => {
                self.waiting.insert(reader, *task);
            }
            ReaderEvent::Frame(frame) if !frame.is_terminal() => {}
            ReaderEvent::Opened { .. }
            | ReaderEvent::Closed(_)
            | ReaderEvent::Frame(_)
            | ReaderEvent::NothingMore
            | ReaderEvent::Refused { .. } => {
                self.waiting.remove(&reader);
            }
        }
    }
}

impl Checker for NothingStuck {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        if let Some((question, answer)) = self.exchanges.take(seen) {
            self.answered(&question.ask, answer);
        }
        match &seen.event {
            Event::Phase(phase) => {
                self.phase = Some(*phase);
                self.over_at_ms = seen.at_ms;
            }
            Event::Reader { reader, event } => self.reader(*reader, event),
            _ => {}
        }
        Ok(())
    }

    fn finish(&self) -> Vec<Violation> {
        if self.phase != Some(Phase::Over) {
            return Vec::new();
        }
        let broken =
            |task: TaskId, what: String| PROPERTY.broken(self.over_at_ms, Some(task), what);
        let moving = self.tasks.iter().filter_map(|(task, state)| match state {
            Some(state) if state.is_at_rest() => None,
            Some(state) => Some(broken(
                *task,
                format!(
                    "it is still {} long after everything was healed",
                    state.name()
                ),
            )),
            None => Some(broken(
                *task,
                "nobody has looked whether it came to rest".to_owned(),
            )),
        });
        let untold = self.waiting.iter().map(|(reader, task)| {
            broken(*task, format!("reader {reader} still waits for its end"))
        });
        moving.chain(untold).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ClosedBy, ReadFrom};
    use crate::story::{Story, TASK, ended, live};

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(NothingStuck::default())
    }

    #[test]
    fn a_task_may_move_until_all_is_over_and_must_rest_then() {
        let mut story = Story::accepted();
        story.read(TASK, live(State::Running, 1));
        assert_eq!(judge(&story), []);
        story.over();
        assert_eq!(judge(&story).len(), 1);
        story.read(TASK, ended(State::Completed, 2));
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn a_reader_that_came_after_healing_is_told_or_leaves() {
        let mut story = Story::accepted();
        story.over();
        story.read(TASK, ended(State::Completed, 0));
        story.open(1, ReadFrom::Start);
        assert_eq!(judge(&story).len(), 1);
        story.close(1, ClosedBy::Server);
        assert_eq!(judge(&story), []);
    }
}
