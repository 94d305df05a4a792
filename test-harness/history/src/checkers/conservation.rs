//! Tasks are conserved.

use std::collections::{BTreeMap, BTreeSet};

use crate::conversation::{Answer, Applied, Ask};
use crate::exchange::Exchanges;
use crate::id::TaskId;
use crate::judge::Checker;
use crate::observation::{Event, Observation, Phase};
use crate::standing::{Listed, State};
use crate::violation::{Harm, Property, Violation};

const PROPERTY: Property = Property {
    name: "conservation",
    harm: Harm::Lost,
    says: "What was accepted is what has ended and what is live, each task once and in one state",
};

/// Watches whole lists of tasks: each accepted task is in them once, there are no strangers, and at rest the
/// lists by state make up the whole.
#[derive(Debug, Default)]
pub(crate) struct Conservation {
    exchanges: Exchanges,
    /// Accepted tasks, with the number of the observation that said so.
    accepted: BTreeMap<TaskId, u64>,
    /// Own ids under which something was asked for.
    own: BTreeSet<TaskId>,
    /// Submissions without an own id of which nobody knows what became.
    anonymous_in_doubt: u64,
    over: bool,
    at_ms: u64,
    /// The last lists after the end of the run, the whole one under no state.
    lists: BTreeMap<Option<State>, BTreeMap<TaskId, State>>,
}

impl Conservation {
    fn submitted(&mut self, own: Option<TaskId>, answer: &Answer) {
        match answer {
            Answer::Accepted { task, .. } => {
                let now = self.exchanges.now();
                self.accepted.entry(*task).or_insert(now);
            }
            Answer::Refused {
                applied: Applied::No,
                ..
            } => {}
            _ if own.is_none() => self.anonymous_in_doubt += 1,
            _ => {}
        }
    }

    /// Submissions that may have made a task of an id that nobody has been told.
    fn strangers_possible(&self) -> u64 {
        let underway = self
            .exchanges
            .waiting()
            .filter(|question| matches!(question.ask, Ask::Submit { own: None, .. }));
        self.anonymous_in_doubt + underway.count() as u64
    }

    fn list(&mut self, state: Option<State>, asked_at: u64, rows: &[Listed]) -> Result<(), Fault> {
        let mut listed = BTreeMap::new();
        for row in rows {
            if listed.insert(row.task, row.state).is_some() {
                return Err((Some(row.task), "it is listed twice".to_owned()));
            }
            if state.is_some_and(|state| state != row.state) {
                let what = format!("it is listed among others, and is {}", row.state.name());
                return Err((Some(row.task), what));
            }
        }
        if state.is_none() {
            self.whole(asked_at, &listed)?;
        }
        if self.over {
            self.lists.insert(state, listed);
        }
        Ok(())
    }

    /// What a list of all tasks lacks or has too much.
    fn whole(&self, asked_at: u64, listed: &BTreeMap<TaskId, State>) -> Result<(), Fault> {
        let mut accepted = self.accepted.iter();
        let missing = accepted.find(|(task, at)| **at < asked_at && !listed.contains_key(task));
        if let Some((task, _)) = missing {
            return Err((Some(*task), "it was accepted, and is not listed".to_owned()));
        }
        let known = |task: &&TaskId| self.accepted.contains_key(task) || self.own.contains(task);
        let mut strangers = listed.keys().filter(|task| !known(task));
        let possible = self.strangers_possible();
        match strangers.clone().count() as u64 {
            count if count <= possible => Ok(()),
            count => Err((
                strangers.next_back().copied(),
                format!("{count} tasks are listed that nobody was told of, and {possible} can be"),
            )),
        }
    }
}

/// What is wrong, and with which task.
type Fault = (Option<TaskId>, String);

impl Checker for Conservation {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        self.at_ms = seen.at_ms;
        if let Event::Phase(phase) = seen.event {
            self.over = phase == Phase::Over;
        }
        if let Event::Asked {
            ask: Ask::Submit { own: Some(own), .. },
            ..
        } = &seen.event
        {
            self.own.insert(*own);
        }
        let Some((question, answer)) = self.exchanges.take(seen) else {
            return Ok(());
        };
        let judged = match (question.ask, answer) {
            (Ask::Submit { own, .. }, answer) => {
                self.submitted(own, answer);
                Ok(())
            }
            (Ask::Census { state }, Answer::Census(rows)) => {
                self.list(state, question.asked_at, rows)
            }
            _ => Ok(()),
        };
        judged.map_err(|(task, what)| PROPERTY.broken(seen.at_ms, task, what))
    }

    fn finish(&self) -> Vec<Violation> {
        let Some(whole) = self.lists.get(&None) else {
            return Vec::new();
        };
        let mut broken = Vec::new();
        for (state, listed) in &self.lists {
            let Some(state) = state else { continue };
            let of_state = |tasks: &BTreeMap<TaskId, State>| -> BTreeSet<TaskId> {
                let of_state = tasks.iter().filter(|(_, listed)| *listed == state);
                of_state.map(|(task, _)| *task).collect()
            };
            let (all, part) = (of_state(whole), of_state(listed));
            if let Some(task) = all.symmetric_difference(&part).next() {
                let what = format!(
                    "{} tasks are {} in the list of all, and {} in the list of those",
                    all.len(),
                    state.name(),
                    part.len()
                );
                broken.push(PROPERTY.broken(self.at_ms, Some(*task), what));
            }
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Story, TASK, payload};

    const OTHER: TaskId = TaskId(99);

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(Conservation::default())
    }

    fn census(story: &mut Story, state: Option<State>, tasks: &[(TaskId, State)]) {
        let rows = tasks
            .iter()
            .map(|(task, state)| Listed {
                task: *task,
                state: *state,
            })
            .collect();
        story.ask_and_answer(Ask::Census { state }, Answer::Census(rows));
    }

    #[test]
    fn an_accepted_task_is_listed_once() {
        for (tasks, broken) in [
            (&[(TASK, State::Queued)][..], 0),
            (&[], 1),
            (&[(TASK, State::Queued), (TASK, State::Queued)], 1),
        ] {
            let mut story = Story::accepted();
            census(&mut story, None, tasks);
            assert_eq!(judge(&story).len(), broken, "{tasks:?}");
        }
    }

    #[test]
    fn strangers_are_submissions_that_nobody_knows_the_outcome_of() {
        let tasks = [(TASK, State::Queued), (OTHER, State::Queued)];
        let mut story = Story::accepted();
        census(&mut story, None, &tasks);
        assert_eq!(judge(&story).len(), 1);
        let mut story = Story::accepted();
        let ask = Ask::Submit {
            own: None,
            key: None,
            payload: payload("b"),
        };
        story.ask_and_answer(ask, Answer::InDoubt);
        census(&mut story, None, &tasks);
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn at_rest_the_lists_by_state_make_up_the_whole() {
        for (part, broken) in [(&[(TASK, State::Completed)][..], 0), (&[], 1)] {
            let mut story = Story::accepted();
            story.over();
            census(&mut story, None, &[(TASK, State::Completed)]);
            census(&mut story, Some(State::Completed), part);
            census(&mut story, Some(State::Failed), &[]);
            assert_eq!(judge(&story).len(), broken, "{part:?}");
        }
        let mut story = Story::accepted();
        census(&mut story, Some(State::Failed), &[(TASK, State::Completed)]);
        assert_eq!(judge(&story).len(), 1);
    }
}
