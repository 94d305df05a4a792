//! Tokens are metered once.

use std::collections::BTreeMap;

use orchestrator_core::id::TaskId;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::story::Name;

/// Watches that a task's tokens are metered at most once over all processes (a process that dies takes its
/// counters with it), and that what is metered is its text.
#[derive(Debug, Default)]
pub(super) struct MeteredOnce {
    metered: BTreeMap<TaskId, u64>,
}

impl Checker for MeteredOnce {
    fn property(&self) -> &'static str {
        "tokens metered once"
    }

    fn promise(&self) -> &'static str {
        "the tokens of a task are metered at most once, with its end, and are as many as its text has"
    }

    fn see(&mut self, sight: &Sight<'_>, book: &Book) -> Result<(), String> {
        let Sight::Metered { task, tokens, .. } = sight else {
            return Ok(());
        };
        if let Some(before) = self.metered.insert(*task, *tokens) {
            return Err(format!(
                "{tokens} tokens of {} are metered after {before}",
                Name(*task)
            ));
        }
        match book.tasks.get(task) {
            Some(row) if row.state.is_final() && row.position == *tokens => Ok(()),
            Some(row) => Err(format!(
                "{tokens} tokens of {} are metered, which is {:?} at {}",
                Name(*task),
                row.state,
                row.position
            )),
            None => Err(format!("{} is metered, and is not durable", Name(*task))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use orchestrator_core::mutation::Mutation;
    use orchestrator_core::task::TaskState;

    use super::*;
    use crate::checkers::testing::{commit, task};

    #[test]
    fn a_second_time_is_seen() {
        let mut checker = MeteredOnce::default();
        let mut book = Book::default();
        let mut row = task(1, TaskState::Completed);
        row.position = 7;
        let metered = Sight::Metered {
            daemon: 0,
            task: row.id,
            tokens: 7,
        };
        let body = orchestrator_core::id::PayloadRef(1);
        let record = Arc::new(row);
        book.apply(&commit(1, 1, vec![Mutation::TaskInsert { record, body }]));
        assert_eq!(checker.see(&metered, &book), Ok(()));
        assert!(checker.see(&metered, &book).is_err());
    }
}
