//! An acknowledged task is never lost.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::exchange::Exchanges;
use crate::id::TaskId;
use crate::judge::Checker;
use crate::observation::{Event, Observation, Phase};
use crate::standing::State;
use crate::violation::{Harm, Property, Violation};

const PROPERTY: Property = Property {
    name: "accepted-kept",
    harm: Harm::Lost,
    says: "A task whose acceptance was acknowledged is there for ever, and ends with a recorded reason",
};

/// Watches that acknowledged tasks are found again, with a reason wherever they failed or wait.
#[derive(Debug, Default)]
pub(crate) struct AcceptedKept {
    exchanges: Exchanges,
    tasks: BTreeMap<TaskId, Kept>,
    over_at_ms: Option<u64>,
}

#[derive(Debug)]
struct Kept {
    /// Number of the observation that acknowledged it.
    accepted_at: u64,
    /// True once it was found after the end of the run.
    found: bool,
}

impl Checker for AcceptedKept {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        if seen.event == Event::Phase(Phase::Over) {
            self.over_at_ms = Some(seen.at_ms);
        }
        let Some((question, answer)) = self.exchanges.take(seen) else {
            return Ok(());
        };
        let task = match question.ask {
            Ask::Submit { .. } => {
                if let Answer::Accepted { task, .. } = answer {
                    let accepted_at = self.exchanges.now();
                    self.tasks.entry(*task).or_insert(Kept {
                        accepted_at,
                        found: false,
                    });
                }
                return Ok(());
            }
            Ask::Cancel { task } | Ask::Record { task } | Ask::Result { task } => task,
            Ask::Census { .. } | Ask::Meter => return Ok(()),
        };
        let over = self.over_at_ms.is_some();
        let Some(kept) = self.tasks.get_mut(&task) else {
            return Ok(());
        };
        let broken = |what: String| Err(PROPERTY.broken(seen.at_ms, Some(task), what));
        let (state, reason) = match answer {
            Answer::Missing if question.asked_at > kept.accepted_at => {
                return broken("it was acknowledged, and now nobody knows it".to_owned());
            }
            Answer::Record(record) | Answer::Cancelled(record) => (record.state, &record.reason),
            Answer::Result(outcome) => (outcome.state, &outcome.code),
            _ => return Ok(()),
        };
        kept.found |= over;
        let unexplained = reason.as_deref().is_none_or(str::is_empty);
        let needs_reason = matches!(state, State::Failed | State::Parked);
        if needs_reason && unexplained {
            return broken(format!("it is {} and nobody says why", state.name()));
        }
        Ok(())
    }

    fn finish(&self) -> Vec<Violation> {
        let Some(at_ms) = self.over_at_ms else {
            return Vec::new();
        };
        let unseen = self.tasks.iter().filter(|(_, kept)| !kept.found);
        unseen
            .map(|(task, _)| {
                let what = "it was acknowledged, and was not found again when all was over";
                PROPERTY.broken(at_ms, Some(*task), what.to_owned())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Story, TASK, ended, payload};

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(AcceptedKept::default())
    }

    #[test]
    fn a_task_that_is_found_again_is_kept() {
        let mut story = Story::accepted();
        story.over();
        story.read(TASK, ended(State::Completed, 2));
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn a_task_that_nobody_knows_any_more_is_lost() {
        let mut story = Story::accepted();
        story.ask_and_answer(Ask::Record { task: TASK }, Answer::Missing);
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn a_look_that_crossed_the_acceptance_may_find_nothing() {
        let mut story = Story::default();
        let look = story.ask(Ask::Record { task: TASK });
        story.submit(Some(TASK), payload("a"), TASK);
        story.answer(look, Answer::Missing);
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn a_task_that_nobody_looked_for_is_not_known_to_be_kept() {
        let mut story = Story::accepted();
        assert_eq!(judge(&story), []);
        story.over();
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn a_failure_without_a_reason_is_a_loss() {
        let mut story = Story::accepted();
        story.read(TASK, ended(State::Failed, 0));
        assert_eq!(judge(&story).len(), 1);
        let mut story = Story::accepted();
        let mut record = ended(State::Failed, 0);
        record.reason = Some("WORKER_RESET".to_owned());
        story.read(TASK, record);
        assert_eq!(judge(&story), []);
    }
}
