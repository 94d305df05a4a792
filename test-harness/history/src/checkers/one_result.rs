//! A task has one result.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::exchange::Exchanges;
use crate::id::TaskId;
use crate::judge::Checker;
use crate::observation::Observation;
use crate::standing::{Outcome, State};
use crate::violation::{Harm, Property, Violation};

const PROPERTY: Property = Property {
    name: "one-result",
    harm: Harm::Doubled,
    says: "What came of an ended task never changes again",
};

/// Watches that all who look at an ended task are told the same, for ever.
#[derive(Debug, Default)]
pub(crate) struct OneResult {
    exchanges: Exchanges,
    ended: BTreeMap<TaskId, Ended>,
    attempts: BTreeMap<TaskId, (u32, u64)>,
}

/// An end, as it was told first.
#[derive(Debug)]
struct Ended {
    /// Number of the observation that told it.
    seen_at: u64,
    state: State,
    reason: Option<String>,
    attempts: u32,
    /// Position and result are told by different replies.
    position: Option<u64>,
    outcome: Option<Outcome>,
}

/// What one reply tells of how a task stands.
struct Told<'a> {
    state: State,
    reason: Option<&'a String>,
    attempts: u32,
    position: Option<u64>,
    outcome: Option<&'a Outcome>,
}

impl OneResult {
    /// Compares what is told with what was told before; what differs, if anything does.
    fn compare(&mut self, task: TaskId, asked_at: u64, told: &Told<'_>) -> Option<String> {
        let now = self.exchanges.now();
        if let Some((before, told_at)) = self.attempts.get(&task)
            && *told_at < asked_at
            && told.attempts < *before
        {
            return Some(format!(
                "{before} attempts had begun, and now only {} have",
                told.attempts
            ));
        }
        self.attempts.insert(task, (told.attempts, now));
        if !told.state.is_final() {
            let ended = self.ended.get(&task)?;
            return (asked_at > ended.seen_at).then(|| {
                format!(
                    "it was {}, and is {} now",
                    ended.state.name(),
                    told.state.name()
                )
            });
        }
        let ended = self.ended.entry(task).or_insert_with(|| Ended {
            seen_at: now,
            state: told.state,
            reason: told.reason.cloned(),
            attempts: told.attempts,
            position: told.position,
            outcome: told.outcome.cloned(),
        });
        if (ended.state, ended.reason.as_ref(), ended.attempts)
            != (told.state, told.reason, told.attempts)
        {
            return Some(format!(
                "it ended {} ({:?}, {} attempts), and now {} ({:?}, {} attempts)",
                ended.state.name(),
                ended.reason,
                ended.attempts,
                told.state.name(),
                told.reason,
                told.attempts
            ));
        }
        let position = *ended.position.get_or_insert(told.position?);
        if Some(position) != told.position {
            return Some(format!(
                "its text had {position} tokens, and has {:?} now",
                told.position
            ));
        }
        None
    }

    /// Compares a result with the one that was told before.
    fn compare_outcome(&mut self, task: TaskId, outcome: &Outcome) -> Option<String> {
        let ended = self.ended.get_mut(&task)?;
        let before = ended.outcome.get_or_insert_with(|| outcome.clone());
        (before != outcome).then(|| format!("its result was {before:?}, and is {outcome:?} now"))
    }
}

impl Checker for OneResult {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let Some((question, answer)) = self.exchanges.take(seen) else {
            return Ok(());
        };
        let (Ask::Cancel { task } | Ask::Record { task } | Ask::Result { task }) = question.ask
        else {
            return Ok(());
        };
        let told = match answer {
            Answer::Record(record) | Answer::Cancelled(record) => Told {
                state: record.state,
                // Why a task waits changes; why it failed does not.
                reason: record.reason.as_ref(),
                attempts: record.attempts,
                position: Some(record.position),
                outcome: None,
            },
            Answer::Result(outcome) => Told {
                state: outcome.state,
                reason: outcome.code.as_ref(),
                attempts: outcome.attempts,
                position: None,
                outcome: Some(outcome),
            },
            _ => return Ok(()),
        };
        let differs = self.compare(task, question.asked_at, &told);
        let differs = match (differs, told.outcome) {
            (None, Some(outcome)) if told.state.is_final() => self.compare_outcome(task, outcome),
            (differs, _) => differs,
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
    use crate::story::{Story, TASK, ended, live, outcome};

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(OneResult::default())
    }

    #[test]
    fn the_same_end_may_be_told_again_and_again() {
        let mut story = Story::accepted();
        story.read(TASK, live(State::Running, 1));
        for _ in 0..2 {
            story.read(TASK, ended(State::Completed, 2));
            story.result(TASK, outcome(State::Completed, Some("old pond"), 2));
        }
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn an_end_that_changes_is_two_ends() {
        let first = ended(State::Completed, 2);
        let mut later = [first.clone(), first.clone(), first.clone(), first.clone()];
        later[0].state = State::Cancelled;
        later[1].position = 3;
        later[2].attempts = 7;
        later[3].state = State::Running;
        for record in later {
            let mut story = Story::accepted();
            story.read(TASK, first.clone());
            story.read(TASK, record);
            assert_eq!(judge(&story).len(), 1);
        }
    }

    #[test]
    fn a_text_that_changes_is_two_results() {
        let mut story = Story::accepted();
        story.result(TASK, outcome(State::Completed, Some("old pond"), 2));
        story.result(TASK, outcome(State::Completed, Some("new pond"), 2));
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn replies_that_crossed_on_their_way_may_come_in_any_order() {
        let mut story = Story::accepted();
        let look = story.ask(Ask::Record { task: TASK });
        story.read(TASK, ended(State::Completed, 2));
        story.answer(look, Answer::Record(live(State::Running, 1)));
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn attempts_are_not_taken_back() {
        let mut story = Story::accepted();
        let mut record = live(State::Running, 1);
        record.attempts = 2;
        story.read(TASK, record.clone());
        record.attempts = 1;
        story.read(TASK, record);
        assert_eq!(judge(&story).len(), 1);
    }
}
