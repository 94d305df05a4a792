//! An id stands for one payload.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::exchange::Exchanges;
use crate::id::TaskId;
use crate::judge::Checker;
use crate::observation::Observation;
use crate::standing::{Payload, Record};
use crate::violation::{Harm, Property, Violation};

const PROPERTY: Property = Property {
    name: "ids-keep-payload",
    harm: Harm::Doubled,
    says: "An id stands for one task with one payload: a repeat finds it, and nothing replaces it",
};

/// Watches that a repeat never makes or changes a task.
#[derive(Debug, Default)]
pub(crate) struct IdsKeepPayload {
    exchanges: Exchanges,
    tasks: BTreeMap<TaskId, Known>,
}

#[derive(Debug)]
struct Known {
    payload: Payload,
    seed: u64,
    /// True once an acknowledgement said that it made the task.
    made: bool,
}

impl Known {
    /// What another acknowledgement under the same id gets wrong.
    fn differs(&mut self, payload: &Payload, seed: u64, replayed: bool) -> Option<String> {
        if self.payload.fingerprint != payload.fingerprint {
            return Some(format!(
                "payload {} was accepted under it, and payload {} too",
                self.payload.fingerprint, payload.fingerprint
            ));
        }
        if self.seed != seed {
            return Some(format!("its seed was {}, and is {seed} now", self.seed));
        }
        if self.made && !replayed {
            return Some("it was made twice".to_owned());
        }
        self.made |= !replayed;
        None
    }

    /// What a record gets wrong.
    fn misread(&self, record: &Record) -> Option<String> {
        let asked = (&self.payload.prompt, &self.payload.class, self.seed);
        let shown = (&record.prompt, &record.class, record.seed);
        (asked != shown).then(|| format!("asked for was {asked:?}, and its record shows {shown:?}"))
    }
}

impl Checker for IdsKeepPayload {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let Some((question, answer)) = self.exchanges.take(seen) else {
            return Ok(());
        };
        let (task, differs) = match (question.ask, answer) {
            (
                Ask::Submit { own, key, payload },
                Answer::Accepted {
                    task,
                    seed,
                    replayed,
                },
            ) => {
                if let Some(own) = own.filter(|own| own != task) {
                    let what = format!("it was asked for as {own}, and answered as {task}");
                    return Err(PROPERTY.broken(seen.at_ms, Some(own), what));
                }
                let differs = match self.tasks.get_mut(task) {
                    Some(known) if own.is_some() || key.is_some() => {
                        known.differs(&payload, *seed, *replayed)
                    }
                    Some(_) => Some("an id that was in use was given to a new task".to_owned()),
                    None => {
                        let wrong = payload.seed.filter(|asked| asked != seed);
                        let known = Known {
                            payload,
                            seed: *seed,
                            made: !replayed,
                        };
                        self.tasks.insert(*task, known);
                        wrong.map(|asked| format!("seed {asked} was asked for, and it has {seed}"))
                    }
                };
                (*task, differs)
            }
            (
                Ask::Record { task } | Ask::Cancel { task },
                Answer::Record(record) | Answer::Cancelled(record),
            ) => {
                let known = self.tasks.get(&task);
                (task, known.and_then(|known| known.misread(record)))
            }
            _ => return Ok(()),
        };
        match differs {
            None => Ok(()),
            Some(what) => Err(PROPERTY.broken(seen.at_ms, Some(task), what)),
        }
    }

    fn finish(&self) -> Vec<Violation> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::State;
    use crate::story::{Story, TASK, ended, payload};

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(IdsKeepPayload::default())
    }

    fn repeat(story: &mut Story, fingerprint: &str, replayed: bool) {
        let ask = Ask::Submit {
            own: Some(TASK),
            key: None,
            payload: payload(fingerprint),
        };
        let answer = Answer::Accepted {
            task: TASK,
            seed: 7,
            replayed,
        };
        story.ask_and_answer(ask, answer);
    }

    #[test]
    fn a_repeat_finds_its_task() {
        let mut story = Story::accepted();
        repeat(&mut story, "a", true);
        story.read(TASK, ended(State::Completed, 2));
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn another_payload_is_never_accepted_under_the_id() {
        let mut story = Story::accepted();
        repeat(&mut story, "b", true);
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn a_task_is_made_once() {
        let mut story = Story::accepted();
        repeat(&mut story, "a", false);
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn a_record_shows_what_was_asked_for() {
        let mut story = Story::accepted();
        let mut record = ended(State::Completed, 2);
        record.class = "batch".to_owned();
        story.read(TASK, record);
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn a_new_task_gets_an_id_of_its_own() {
        let mut story = Story::accepted();
        story.submit(None, payload("b"), TASK);
        assert_eq!(judge(&story).len(), 1);
    }
}
