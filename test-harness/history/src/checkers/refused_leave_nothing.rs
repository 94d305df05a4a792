//! What was refused leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};

use crate::conversation::{Answer, Applied, Ask};
use crate::exchange::Exchanges;
use crate::id::TaskId;
use crate::judge::Checker;
use crate::observation::Observation;
use crate::violation::{Harm, Property, Violation};

const PROPERTY: Property = Property {
    name: "refused-leave-nothing",
    harm: Harm::Untrue,
    says: "A task that was refused is not there afterwards",
};

/// Watches ids for which every submission was refused without effect.
#[derive(Debug, Default)]
pub(crate) struct RefusedLeaveNothing {
    exchanges: Exchanges,
    ids: BTreeMap<TaskId, Submissions>,
}

#[derive(Debug, Default)]
struct Submissions {
    /// How many were asked for.
    asked: u64,
    /// How many were refused without effect.
    refused: u64,
    /// Code of the last refusal.
    code: String,
}

impl RefusedLeaveNothing {
    /// Whether no submission under this id can have had an effect.
    fn never_taken(&self, task: TaskId) -> Option<&Submissions> {
        let waiting = |question: &&crate::exchange::Question| matches!(question.ask, Ask::Submit { own, .. } if own == Some(task));
        let underway = self.exchanges.waiting().filter(waiting).count() as u64;
        let id = self.ids.get(&task)?;
        (underway == 0 && id.asked > 0 && id.asked == id.refused).then_some(id)
    }

    fn submitted(&mut self, own: TaskId, answer: &Answer) {
        let id = self.ids.entry(own).or_default();
        id.asked += 1;
        if let Answer::Refused {
            code,
            applied: Applied::No,
        } = answer
        {
            id.refused += 1;
            id.code.clone_from(code);
        }
    }
}

impl Checker for RefusedLeaveNothing {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let Some((question, answer)) = self.exchanges.take(seen) else {
            return Ok(());
        };
        let shown: BTreeSet<TaskId> = match (question.ask, answer) {
            (Ask::Submit { own: Some(own), .. }, answer) => {
                self.submitted(own, answer);
                return Ok(());
            }
            (Ask::Record { task }, Answer::Record(_))
            | (Ask::Cancel { task }, Answer::Cancelled(_))
            | (Ask::Result { task }, Answer::Result(_)) => BTreeSet::from([task]),
            (_, Answer::Census(listed)) => listed.iter().map(|row| row.task).collect(),
            _ => return Ok(()),
        };
        let ghost = shown
            .iter()
            .find_map(|task| Some((*task, self.never_taken(*task)?)));
        match ghost {
            None => Ok(()),
            Some((task, id)) => Err(PROPERTY.broken(
                seen.at_ms,
                Some(task),
                format!("it was refused with {}, and is there", id.code),
            )),
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

    fn refused(applied: Applied) -> Story {
        let mut story = Story::default();
        let ask = Ask::Submit {
            own: Some(TASK),
            key: None,
            payload: payload("a"),
        };
        let answer = Answer::Refused {
            code: "ADMISSION_REJECT".to_owned(),
            applied,
        };
        story.ask_and_answer(ask, answer);
        story
    }

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(RefusedLeaveNothing::default())
    }

    #[test]
    fn a_refused_task_that_is_there_is_a_ghost() {
        let mut story = refused(Applied::No);
        story.ask_and_answer(Ask::Record { task: TASK }, Answer::Missing);
        assert_eq!(judge(&story), []);
        story.read(TASK, ended(State::Completed, 2));
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn a_task_that_another_submission_made_may_be_there() {
        let mut story = refused(Applied::No);
        story.submit(Some(TASK), payload("a"), TASK);
        story.read(TASK, ended(State::Completed, 2));
        assert_eq!(judge(&story), []);
        let mut story = refused(Applied::Unknown);
        story.read(TASK, ended(State::Completed, 2));
        assert_eq!(judge(&story), []);
    }
}
