//! An idempotency key stands for one task.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::exchange::Exchanges;
use crate::id::TaskId;
use crate::judge::Checker;
use crate::observation::Observation;
use crate::violation::{Harm, Property, Violation};

const PROPERTY: Property = Property {
    name: "keys-keep-task",
    harm: Harm::Doubled,
    says: "An idempotency key stands for one task with one payload: a repeat finds it, and makes nothing",
};

/// Watches that a repeat under a key never makes another task.
#[derive(Debug, Default)]
pub(crate) struct KeysKeepTask {
    exchanges: Exchanges,
    keys: BTreeMap<u64, Known>,
}

#[derive(Debug)]
struct Known {
    task: TaskId,
    fingerprint: String,
    /// True once an acknowledgement said that it made the task.
    made: bool,
}

impl Known {
    /// What another acknowledgement under the same key gets wrong.
    fn differs(&mut self, task: TaskId, fingerprint: &str, replayed: bool) -> Option<String> {
        if self.task != task {
            return Some(format!(
                "{task} was accepted under its key, and {} too",
                self.task
            ));
        }
        if self.fingerprint != fingerprint {
            return Some(format!(
                "payload {} was accepted under its key, and payload {fingerprint} too",
                self.fingerprint
            ));
        }
        if self.made && !replayed {
            return Some("it was made twice under its key".to_owned());
        }
        self.made |= !replayed;
        None
    }
}

impl Checker for KeysKeepTask {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let Some((question, answer)) = self.exchanges.take(seen) else {
            return Ok(());
        };
        let (
            Ask::Submit {
                key: Some(key),
                payload,
                ..
            },
            Answer::Accepted { task, replayed, .. },
        ) = (question.ask, answer)
        else {
            return Ok(());
        };
        let known = self.keys.entry(key).or_insert_with(|| Known {
            task: *task,
            fingerprint: payload.fingerprint.clone(),
            made: false,
        });
        match known.differs(*task, &payload.fingerprint, *replayed) {
            None => Ok(()),
            Some(what) => Err(PROPERTY.broken(seen.at_ms, Some(*task), what)),
        }
    }

    fn finish(&self) -> Vec<Violation> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Story, TASK, payload};

    const OTHER: TaskId = TaskId(99);

    fn judge(story: &Story) -> Vec<Violation> {
        story.judged_by(KeysKeepTask::default())
    }

    fn keyed(story: &mut Story, fingerprint: &str, task: TaskId, replayed: bool) {
        let ask = Ask::Submit {
            own: None,
            key: Some(3),
            payload: payload(fingerprint),
        };
        let answer = Answer::Accepted {
            task,
            seed: 7,
            replayed,
        };
        story.ask_and_answer(ask, answer);
    }

    #[test]
    fn a_repeat_finds_its_task_also_where_the_first_answer_was_lost() {
        let mut story = Story::default();
        keyed(&mut story, "a", TASK, true);
        keyed(&mut story, "a", TASK, true);
        assert_eq!(judge(&story), []);
    }

    #[test]
    fn another_task_another_payload_and_a_second_making_are_seen() {
        for (fingerprint, task, replayed) in
            [("a", OTHER, true), ("b", TASK, true), ("a", TASK, false)]
        {
            let mut story = Story::default();
            keyed(&mut story, "a", TASK, false);
            keyed(&mut story, fingerprint, task, replayed);
            assert_eq!(judge(&story).len(), 1, "{fingerprint} {task} {replayed}");
        }
    }
}
