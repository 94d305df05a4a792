//! Tokens are metered once.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::exchange::Exchanges;
use crate::frame::{Frame, ReaderEvent};
use crate::id::{DaemonId, ReaderId, TaskId};
use crate::judge::Checker;
use crate::observation::{Event, Observation, Phase};
use crate::standing::{Record, State};
use crate::violation::{Harm, Property, Violation};
use crate::world::{Process, ProcessEvent};

const PROPERTY: Property = Property {
    name: "metered-once",
    harm: Harm::Doubled,
    says: "The tokens of a text are metered once: all figures of an ended task agree, and so does their sum",
};

/// Watches the figures that are told of an ended text, and the meters of the daemons.
#[derive(Debug, Default)]
pub(crate) struct MeteredOnce {
    exchanges: Exchanges,
    readers: BTreeMap<ReaderId, TaskId>,
    /// Tokens of texts that count, as they were told first.
    texts: BTreeMap<TaskId, u64>,
    /// Sum of what earlier lives of a daemon had metered when they were asked last.
    earlier: u64,
    /// What the present life of each daemon has metered.
    present: BTreeMap<DaemonId, u64>,
    over: bool,
    at_ms: u64,
    /// Tasks that ended with a text, by a whole list after the end of the run.
    listed: Option<Vec<TaskId>>,
}

impl MeteredOnce {
    /// One more figure of a text.
    fn figure(&mut self, task: TaskId, tokens: u64) -> Result<(), Fault> {
        let first = *self.texts.entry(task).or_insert(tokens);
        if first == tokens {
            return Ok(());
        }
        let what = format!("its text was said to have {first} tokens, and {tokens} as well");
        Err((Some(task), what))
    }

    fn record(&mut self, task: TaskId, record: &Record) -> Result<(), Fault> {
        match record.state {
            State::Cancelled | State::Completed => self.figure(task, record.position),
            _ => Ok(()),
        }
    }

    fn meter(&mut self, daemon: DaemonId, tokens: u64) -> Result<(), Fault> {
        let before = self.present.insert(daemon, tokens).unwrap_or(0);
        if before <= tokens {
            return Ok(());
        }
        Err((
            None,
            format!("the meter of daemon {daemon} fell from {before} to {tokens}"),
        ))
    }

    fn answered(&mut self, ask: &Ask, daemon: DaemonId, answer: &Answer) -> Result<(), Fault> {
        match (ask, answer) {
            (
                Ask::Record { task } | Ask::Cancel { task },
                Answer::Record(record) | Answer::Cancelled(record),
            ) => self.record(*task, record),
            (Ask::Result { task }, Answer::Result(outcome)) => match outcome.tokens_out {
                Some(tokens) if outcome.text.is_some() => self.figure(*task, tokens),
                _ => Ok(()),
            },
            (Ask::Meter, Answer::Meter { tokens_out }) => self.meter(daemon, *tokens_out),
            (Ask::Census { state: None }, Answer::Census(rows)) if self.over => {
                let with_text = rows
                    .iter()
                    .filter(|row| matches!(row.state, State::Cancelled | State::Completed));
                self.listed = Some(with_text.map(|row| row.task).collect());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What is wrong, and with which task.
type Fault = (Option<TaskId>, String);

impl Checker for MeteredOnce {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        self.at_ms = seen.at_ms;
        let answered = self.exchanges.take(seen);
        let judged = match (&seen.event, answered) {
            (_, Some((question, answer))) => self.answered(&question.ask, question.daemon, answer),
            (Event::Phase(phase), None) => {
                self.over = *phase == Phase::Over;
                Ok(())
            }
            (
                Event::Process {
                    process: Process::Daemon(daemon),
                    event: ProcessEvent::Started { .. },
                },
                None,
            ) => {
                self.earlier += self.present.remove(daemon).unwrap_or(0);
                Ok(())
            }
            (Event::Reader { reader, event }, None) => match event {
                ReaderEvent::Opened { task, .. } => {
                    self.readers.insert(*reader, *task);
                    Ok(())
                }
                ReaderEvent::Frame(Frame::End {
                    place, tokens_out, ..
                }) => match self.readers.get(reader).copied() {
                    Some(task) => self
                        .figure(task, *tokens_out)
                        .and_then(|()| self.figure(task, place.position)),
                    None => Ok(()),
                },
                _ => Ok(()),
            },
            _ => Ok(()),
        };
        judged.map_err(|(task, what)| PROPERTY.broken(seen.at_ms, task, what))
    }

    fn finish(&self) -> Vec<Violation> {
        // A sum can be judged only if every text that was made is known.
        let Some(listed) = &self.listed else {
            return Vec::new();
        };
        let figures: Option<Vec<u64>> = listed
            .iter()
            .map(|task| self.texts.get(task).copied())
            .collect();
        let Some(figures) = figures else {
            return Vec::new();
        };
        let texts: u64 = figures.iter().sum();
        let metered = self.earlier + self.present.values().sum::<u64>();
        if metered <= texts {
            return Vec::new();
        }
        let what = format!("the daemons metered {metered} tokens, and all texts have {texts}");
        vec![PROPERTY.broken(self.at_ms, None, what)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ReadFrom;
    use crate::standing::{Finish, Listed};
    use crate::story::{DAEMON, Story, TASK, end_of, ended, outcome};

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(MeteredOnce::default())
    }

    fn measured() -> Story {
        let mut story = Story::accepted();
        story.open(1, ReadFrom::Start);
        story.frame(1, end_of(&["old", " pond"], Finish::Stop));
        story.result(TASK, outcome(State::Completed, Some("old pond"), 2));
        story
    }

    fn meter(story: &mut Story, tokens_out: u64) {
        story.ask_and_answer(Ask::Meter, Answer::Meter { tokens_out });
    }

    #[test]
    fn all_figures_of_a_text_agree() {
        for (position, broken) in [(2, 0), (3, 1)] {
            let mut story = measured();
            story.read(TASK, ended(State::Completed, position));
            assert_eq!(judge(&story).len(), broken, "{position}");
        }
        let mut story = measured();
        story.result(TASK, outcome(State::Completed, Some("old pond"), 4));
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn the_meters_of_all_lives_together_count_each_text_once() {
        for (second, broken) in [(0, 0), (1, 0), (2, 1)] {
            let mut story = measured();
            meter(&mut story, 1);
            story.see(Event::Process {
                process: Process::Daemon(DAEMON),
                event: ProcessEvent::Started { epoch: None },
            });
            meter(&mut story, second);
            story.over();
            let row = Listed {
                task: TASK,
                state: State::Completed,
            };
            story.ask_and_answer(Ask::Census { state: None }, Answer::Census(vec![row]));
            assert_eq!(judge(&story).len(), broken, "{second}");
        }
    }

    #[test]
    fn a_meter_does_not_fall() {
        let mut story = measured();
        meter(&mut story, 2);
        meter(&mut story, 1);
        assert_eq!(judge(&story).len(), 1);
    }
}
