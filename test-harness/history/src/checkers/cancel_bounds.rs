//! An acknowledged cancel bounds the text.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::exchange::Exchanges;
use crate::frame::{Frame, ReaderEvent};
use crate::id::{DaemonId, ReaderId, TaskId};
use crate::judge::Checker;
use crate::observation::{Event, Observation};
use crate::standing::{Record, State};
use crate::violation::{Harm, Property, Violation};
use crate::world::{Process, ProcessEvent};

const PROPERTY: Property = Property {
    name: "cancel-bounds",
    harm: Harm::Spliced,
    says: "A cancel is answered when the task has ended, and no token beyond the position in that answer is sent",
};

/// Watches for tokens beyond the position that an acknowledged cancel gave.
///
/// A connection of an earlier life of the daemon may still bring what was sent before that life ended, so a
/// token counts only if the life that sent it is known to have known the position.
#[derive(Debug, Default)]
pub(crate) struct CancelBounds {
    exchanges: Exchanges,
    lives: BTreeMap<DaemonId, u64>,
    bounds: BTreeMap<TaskId, Bound>,
    readers: BTreeMap<ReaderId, Connection>,
}

#[derive(Debug)]
struct Bound {
    position: u64,
    told_at: u64,
    life: (DaemonId, u64),
}

#[derive(Debug)]
struct Connection {
    task: TaskId,
    opened_at: u64,
    life: (DaemonId, u64),
}

impl CancelBounds {
    fn life(&self, daemon: DaemonId) -> (DaemonId, u64) {
        (daemon, self.lives.get(&daemon).copied().unwrap_or(0))
    }

    fn cancelled(&mut self, task: TaskId, daemon: DaemonId, record: &Record) -> Result<(), String> {
        if !record.state.is_final() {
            let state = record.state.name();
            return Err(format!("its cancel was acknowledged, and it is {state}"));
        }
        let told_at = self.exchanges.now();
        let life = self.life(daemon);
        if record.state == State::Cancelled {
            let bound = Bound {
                position: record.position,
                told_at,
                life,
            };
            self.bounds.entry(task).or_insert(bound);
        }
        Ok(())
    }

    fn token(&self, reader: ReaderId, position: u64) -> Option<(TaskId, String)> {
        let connection = self.readers.get(&reader)?;
        let bound = self.bounds.get(&connection.task)?;
        let knew = connection.opened_at > bound.told_at || connection.life == bound.life;
        (knew && position > bound.position).then(|| {
            let what = format!(
                "reader {reader} was given token {position}, and its cancel was acknowledged at {}",
                bound.position
            );
            (connection.task, what)
        })
    }
}

impl Checker for CancelBounds {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let broken = |task, what| Err(PROPERTY.broken(seen.at_ms, Some(task), what));
        if let Some((question, Answer::Cancelled(record))) = self.exchanges.take(seen)
            && let Ask::Cancel { task } = question.ask
        {
            let judged = self.cancelled(task, question.daemon, record);
            return judged.or_else(|what| broken(task, what));
        }
        match &seen.event {
            Event::Process {
                process: Process::Daemon(daemon),
                event: ProcessEvent::Started { .. },
            } => *self.lives.entry(*daemon).or_default() += 1,
            Event::Reader {
                reader,
                event: ReaderEvent::Opened { task, daemon, .. },
            } => {
                let connection = Connection {
                    task: *task,
                    opened_at: self.exchanges.now(),
                    life: self.life(*daemon),
                };
                self.readers.insert(*reader, connection);
            }
            Event::Reader {
                reader,
                event: ReaderEvent::Frame(Frame::Token { place, .. }),
            } => {
                if let Some((task, what)) = self.token(*reader, place.position) {
                    return broken(task, what);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&self) -> Vec<Violation> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ReadFrom;
    use crate::story::{DAEMON, Story, TASK, ended, live, token};

    const TEXT: [&str; 2] = ["old", " pond"];

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(CancelBounds::default())
    }

    fn cancel(story: &mut Story, record: Record) {
        story.ask_and_answer(Ask::Cancel { task: TASK }, Answer::Cancelled(record));
    }

    #[test]
    fn a_token_beyond_the_answer_is_too_late() {
        let mut story = Story::accepted();
        story.open(1, ReadFrom::Start);
        story.frame(1, token(&TEXT, 0));
        cancel(&mut story, ended(State::Cancelled, 1));
        assert_eq!(judge(&story), []);
        story.frame(1, token(&TEXT, 1));
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn what_an_earlier_life_had_sent_may_still_arrive() {
        let mut story = Story::accepted();
        story.open(1, ReadFrom::Start);
        story.see(Event::Process {
            process: Process::Daemon(DAEMON),
            event: ProcessEvent::Started { epoch: None },
        });
        cancel(&mut story, ended(State::Cancelled, 1));
        story.frame(1, token(&TEXT, 0));
        story.frame(1, token(&TEXT, 1));
        assert_eq!(judge(&story), []);
        // Whoever comes afterwards is not shown it.
        story.open(2, ReadFrom::Start);
        story.frame(2, token(&TEXT, 0));
        story.frame(2, token(&TEXT, 1));
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn a_cancel_is_answered_when_the_task_has_ended() {
        let mut story = Story::accepted();
        cancel(&mut story, live(State::CancelRequested, 1));
        assert_eq!(judge(&story).len(), 1);
    }
}
