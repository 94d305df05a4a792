//! An attempt runs once.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::exchange::Exchanges;
use crate::id::{GenerationId, TaskId};
use crate::judge::Checker;
use crate::observation::{Event, Observation, Phase};
use crate::standing::Payload;
use crate::violation::{Harm, Property, Violation};
use crate::world::GenerationEvent;

const PROPERTY: Property = Property {
    name: "attempts-once",
    harm: Harm::Doubled,
    says: "No two generations belong to one attempt, and each is of what the task asked for",
};

/// Watches what engines were asked to generate, where that can be seen.
#[derive(Debug, Default)]
pub(crate) struct AttemptsOnce {
    exchanges: Exchanges,
    generations: BTreeMap<GenerationId, TaskId>,
    /// The generation of each attempt.
    attempts: BTreeMap<u128, GenerationId>,
    /// Generations of each task.
    begun: BTreeMap<TaskId, u32>,
    /// Attempts of each task, as it was told last.
    told: BTreeMap<TaskId, u32>,
    asked: BTreeMap<TaskId, (Payload, u64)>,
    over: bool,
    at_ms: u64,
}

impl AttemptsOnce {
    fn begun(
        &mut self,
        generation: GenerationId,
        task: Option<TaskId>,
        attempt: Option<u128>,
        (seed, prompt): (u64, &str),
    ) -> Result<(), Fault> {
        if let Some(task) = task {
            self.generations.insert(generation, task);
            *self.begun.entry(task).or_default() += 1;
            if let Some((payload, asked)) = self.asked.get(&task)
                && (*asked, &*payload.prompt) != (seed, prompt)
            {
                let what = format!(
                    "it asked for prompt {} with seed {asked}, and an engine was asked for {prompt} with {seed}",
                    payload.prompt
                );
                return Err((Some(task), what));
            }
        }
        let Some(attempt) = attempt else {
            return Ok(());
        };
        match self.attempts.insert(attempt, generation) {
            None => Ok(()),
            Some(before) => Err((
                task,
                format!("generations {before} and {generation} belong to attempt {attempt:032x}"),
            )),
        }
    }

    fn answered(&mut self, ask: Ask, answer: &Answer) {
        match (ask, answer) {
            (Ask::Submit { payload, .. }, Answer::Accepted { task, seed, .. }) => {
                self.asked.entry(*task).or_insert((payload, *seed));
            }
            (
                Ask::Record { task } | Ask::Cancel { task },
                Answer::Record(record) | Answer::Cancelled(record),
            ) => {
                let told = self.told.entry(task).or_default();
                *told = record.attempts.max(*told);
            }
            (Ask::Result { task }, Answer::Result(outcome)) => {
                let told = self.told.entry(task).or_default();
                *told = outcome.attempts.max(*told);
            }
            _ => {}
        }
    }
}

/// What is wrong, and with which task.
type Fault = (Option<TaskId>, String);

impl Checker for AttemptsOnce {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        self.at_ms = seen.at_ms;
        if let Some((question, answer)) = self.exchanges.take(seen) {
            self.answered(question.ask, answer);
        }
        let judged = match &seen.event {
            Event::Phase(phase) => {
                self.over = *phase == Phase::Over;
                Ok(())
            }
            Event::Generation {
                generation,
                event:
                    GenerationEvent::Begun {
                        engine: _,
                        task,
                        attempt,
                        seed,
                        prompt,
                    },
            } => self.begun(*generation, *task, *attempt, (*seed, prompt)),
            _ => Ok(()),
        };
        judged.map_err(|(task, what)| PROPERTY.broken(seen.at_ms, task, what))
    }

    fn finish(&self) -> Vec<Violation> {
        if !self.over {
            return Vec::new();
        }
        let too_many = self.begun.iter().filter_map(|(task, begun)| {
            let told = self.told.get(task)?;
            (begun > told).then(|| {
                let what = format!("engines began {begun} generations of it in {told} attempts");
                PROPERTY.broken(self.at_ms, Some(*task), what)
            })
        });
        too_many.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::State;
    use crate::story::{Story, TASK, ended};

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(AttemptsOnce::default())
    }

    fn begin(story: &mut Story, generation: GenerationId, attempt: Option<u128>, seed: u64) {
        story.see(Event::Generation {
            generation,
            event: GenerationEvent::Begun {
                engine: "one".to_owned(),
                task: Some(TASK),
                attempt,
                seed,
                prompt: "rain".to_owned(),
            },
        });
    }

    #[test]
    fn an_attempt_is_begun_once() {
        let mut story = Story::accepted();
        begin(&mut story, 1, Some(10), 7);
        begin(&mut story, 2, Some(11), 7);
        assert_eq!(judge(&story), []);
        begin(&mut story, 3, Some(10), 7);
        assert_eq!(judge(&story).len(), 1);
    }

    #[test]
    fn there_are_no_more_generations_than_attempts() {
        let mut record = ended(State::Completed, 2);
        for (attempts, broken) in [(1, 1), (2, 0)] {
            let mut story = Story::accepted();
            begin(&mut story, 1, None, 7);
            begin(&mut story, 2, None, 7);
            story.over();
            record.attempts = attempts;
            story.read(TASK, record.clone());
            assert_eq!(judge(&story).len(), broken, "{attempts}");
        }
    }

    #[test]
    fn an_engine_is_asked_for_what_the_task_asked_for() {
        let mut story = Story::accepted();
        begin(&mut story, 1, None, 8);
        assert_eq!(judge(&story).len(), 1);
    }
}
