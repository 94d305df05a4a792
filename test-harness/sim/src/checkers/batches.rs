//! A batch is accepted in one commit, in its order.

use std::collections::BTreeMap;

use orchestrator_core::id::{AcceptSeq, TaskId};
use orchestrator_core::mutation::Mutation;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::story::Name;

/// Watches that what a batch has brought in came in by one commit, in the order of the batch, before it was answered.
#[derive(Debug, Default)]
pub(super) struct Batches {
    /// By which commit each task came in, and as which.
    came_in: BTreeMap<TaskId, (u64, AcceptSeq)>,
}

impl Checker for Batches {
    fn property(&self) -> &'static str {
        "a batch is one commit"
    }

    fn promise(&self) -> &'static str {
        "the tasks that a batch brings in come in by one commit, in the order of the batch, before it is answered"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        match sight {
            Sight::Applied { commit, .. } => {
                for mutation in &commit.mutations {
                    if let Mutation::TaskInsert { record, .. } = mutation {
                        self.came_in
                            .insert(record.id, (commit.commit_seq, record.seq));
                    }
                }
                Ok(())
            }
            Sight::Batch { accepted, .. } => self.judge(accepted),
            _ => Ok(()),
        }
    }
}

impl Batches {
    fn judge(&self, accepted: &[TaskId]) -> Result<(), String> {
        let mut before: Option<(TaskId, u64, AcceptSeq)> = None;
        for task in accepted {
            let Some((commit, seq)) = self.came_in.get(task).copied() else {
                return Err(format!("{} is answered, and is not durable", Name(*task)));
            };
            if let Some((other, by, after)) = before
                && (by != commit || after >= seq)
            {
                return Err(format!(
                    "{} came in by commit {by} as {}, and {} of the same batch by commit {commit} as {}",
                    Name(other),
                    after.0,
                    Name(*task),
                    seq.0
                ));
            }
            before = Some((*task, commit, seq));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use orchestrator_core::id::PayloadRef;
    use orchestrator_core::task::TaskState;

    use crate::checkers::testing::{commit, loaded, task};

    /// Task and sequence are one number.
    fn inserted(seq: u64) -> Mutation {
        let mut record = task(seq, TaskState::Queued);
        record.id = TaskId(u128::from(seq));
        Mutation::TaskInsert {
            record: Arc::new(record),
            body: PayloadRef(0),
        }
    }

    #[test]
    fn another_commit_and_another_order_are_seen() {
        let mut batches = Batches::default();
        let mut see = |sight: &Sight<'_>| batches.see(sight, &Book::default());
        let durable = loaded(vec![]);
        let commits = [
            commit(1, 1, vec![inserted(1), inserted(2)]),
            commit(1, 2, vec![inserted(3)]),
        ];
        for commit in &commits {
            let applied = Sight::Applied {
                at: 0,
                daemon: 0,
                commit,
                durable: &durable,
            };
            assert_eq!(see(&applied), Ok(()));
        }
        let mut batch = |tasks: &[u128]| {
            let accepted: Vec<TaskId> = tasks.iter().copied().map(TaskId).collect();
            let answered = Sight::Batch {
                daemon: 0,
                accepted: &accepted,
            };
            see(&answered)
        };
        assert_eq!(batch(&[]), Ok(()));
        assert_eq!(batch(&[1, 2]), Ok(()));
        assert_eq!(batch(&[3]), Ok(()));
        assert!(batch(&[2, 1]).is_err());
        assert!(batch(&[2, 3]).is_err());
        assert!(batch(&[4]).is_err());
    }
}
