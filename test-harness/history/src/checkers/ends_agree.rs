//! What readers are told of an end is what the record says.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::exchange::Exchanges;
use crate::frame::{Frame, ReaderEvent};
use crate::id::{ReaderId, TaskId};
use crate::judge::Checker;
use crate::observation::{Event, Observation};
use crate::standing::{Finish, State};
use crate::violation::{Harm, Property, Violation};

const PROPERTY: Property = Property {
    name: "ends-agree",
    harm: Harm::Untrue,
    says: "The terminal frame, the record and the result tell of the same end",
};

/// Compares the ends that readers are told of with those that records and results tell of.
#[derive(Debug, Default)]
pub(crate) struct EndsAgree {
    exchanges: Exchanges,
    readers: BTreeMap<ReaderId, TaskId>,
    ends: BTreeMap<TaskId, End>,
}

/// What is known of an end, each part as it was told first.
#[derive(Debug, Default)]
struct End {
    state: Option<State>,
    finish: Option<Finish>,
    code: Option<String>,
}

impl End {
    /// Adds what is told now; what contradicts it.
    fn told(
        &mut self,
        state: State,
        finish: Option<Finish>,
        code: Option<&str>,
    ) -> Result<(), String> {
        let differs = |before: &dyn std::fmt::Debug, now: &dyn std::fmt::Debug| {
            Err(format!(
                "it was told to have ended as {before:?}, and as {now:?}"
            ))
        };
        let known = *self.state.get_or_insert(state);
        if known != state {
            return differs(&known, &state);
        }
        if let Some(finish) = finish {
            let known = *self.finish.get_or_insert(finish);
            if known != finish {
                return differs(&known, &finish);
            }
        }
        if let Some(code) = code {
            let known = self.code.get_or_insert_with(|| code.to_owned());
            if known != code {
                return differs(known, &code);
            }
        }
        Ok(())
    }
}

impl EndsAgree {
    fn frame(&mut self, reader: ReaderId, frame: &Frame) -> Result<(), Fault> {
        let Some(task) = self.readers.get(&reader).copied() else {
            return Ok(());
        };
        let end = self.ends.entry(task).or_default();
        let told = match frame {
            Frame::End { finish, .. } => {
                let state = match finish {
                    Finish::Cancelled => State::Cancelled,
                    Finish::Length | Finish::Stop => State::Completed,
                };
                end.told(state, Some(*finish), None)
            }
            Frame::Error {
                place: Some(_),
                code,
            } => end.told(State::Failed, None, Some(code)),
            _ => return Ok(()),
        };
        told.map_err(|what| (task, what))
    }

    fn answered(&mut self, ask: &Ask, answer: &Answer) -> Result<(), Fault> {
        let (Ask::Cancel { task } | Ask::Record { task } | Ask::Result { task }) = ask else {
            return Ok(());
        };
        let (state, finish, code) = match answer {
            Answer::Record(record) | Answer::Cancelled(record) => {
                (record.state, None, record.reason.as_deref())
            }
            Answer::Result(outcome) => (outcome.state, outcome.finish, outcome.code.as_deref()),
            _ => return Ok(()),
        };
        if !state.is_final() {
            return Ok(());
        }
        let end = self.ends.entry(*task).or_default();
        end.told(state, finish, code).map_err(|what| (*task, what))
    }
}

/// What is wrong, and with which task.
type Fault = (TaskId, String);

impl Checker for EndsAgree {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let judged = match (&seen.event, self.exchanges.take(seen)) {
            (_, Some((question, answer))) => self.answered(&question.ask, answer),
            (Event::Reader { reader, event }, None) => match event {
                ReaderEvent::Opened { task, .. } => {
                    self.readers.insert(*reader, *task);
                    Ok(())
                }
                ReaderEvent::Frame(frame) => self.frame(*reader, frame),
                _ => Ok(()),
            },
            _ => Ok(()),
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
    use crate::frame::ReadFrom;
    use crate::place::{Place, PrefixHash};
    use crate::story::{Story, TASK, end_of, ended, outcome};

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(EndsAgree::default())
    }

    fn told(frame: Frame) -> Story {
        let mut story = Story::accepted();
        story.open(1, ReadFrom::Start);
        story.frame(1, frame);
        story
    }

    #[test]
    fn an_end_is_the_one_of_the_record() {
        for (state, broken) in [(State::Completed, 0), (State::Cancelled, 1)] {
            let mut story = told(end_of(&["old"], Finish::Length));
            story.read(TASK, ended(state, 1));
            assert_eq!(judge(&story).len(), broken, "{state:?}");
        }
    }

    #[test]
    fn a_finish_is_the_one_of_the_result() {
        for (finish, broken) in [(Finish::Stop, 0), (Finish::Length, 1)] {
            let mut story = told(end_of(&["old"], finish));
            story.result(TASK, outcome(State::Completed, Some("old"), 1));
            assert_eq!(judge(&story).len(), broken, "{finish:?}");
        }
    }

    #[test]
    fn a_failure_has_one_code_and_a_reader_that_differs_is_no_failure() {
        let error = |place: Option<Place>| Frame::Error {
            place,
            code: "STREAM_DIVERGED".to_owned(),
        };
        let at_start = Place {
            position: 0,
            hash: PrefixHash::default().ended(),
        };
        let mut record = ended(State::Failed, 0);
        record.reason = Some("WORKER_RESET".to_owned());
        let mut story = told(error(Some(at_start)));
        story.read(TASK, record.clone());
        assert_eq!(judge(&story).len(), 1);
        let mut story = told(error(None));
        story.read(TASK, record);
        assert_eq!(judge(&story), []);
    }
}
