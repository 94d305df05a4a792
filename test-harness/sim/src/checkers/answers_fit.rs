//! Every answer is its caller's.

use orchestrator_core::id::TaskId;
use test_harness_history::Answer;

/// What a caller asked for, as far as an answer can contradict it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To cancel.
    Cancel,
    /// To take a task, maybe under an id of its own.
    Create(Option<TaskId>),
    /// To see something.
    Look,
}

/// Whether an answer can be to this question.
pub(crate) fn fits(asked: Asked, answer: &Answer) -> Result<(), String> {
    let fits = match (asked, answer) {
        (Asked::Create(Some(own)), Answer::Accepted { task, .. }) => task.0 == own.0,
        (Asked::Create(None), Answer::Accepted { .. }) => true,
        (_, Answer::Accepted { .. }) => false,
        (Asked::Cancel, Answer::Cancelled(_)) => true,
        (_, Answer::Cancelled(_)) => false,
        (Asked::Create(_), Answer::Missing) => false,
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Err(format!(
            "a caller asked {asked:?} and was answered {answer:?}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_about_another_task_is_seen() {
        let accepted = |task| Answer::Accepted {
            task: test_harness_history::TaskId(task),
            seed: 1,
            replayed: false,
        };
        assert_eq!(fits(Asked::Create(Some(TaskId(1))), &accepted(1)), Ok(()));
        assert!(fits(Asked::Create(Some(TaskId(1))), &accepted(2)).is_err());
        assert!(fits(Asked::Cancel, &accepted(1)).is_err());
    }
}
