//! A text stays with the replica set that began it.

use std::collections::BTreeMap;

use orchestrator_core::id::{Epoch, TaskId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::placement::ReplicaSetKey;
use orchestrator_core::task::{AttemptState, TaskRecord};
use store::Commit;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;

/// Watches that whoever was shown a token is not led to another text, unless it is durable that the set which began
/// it is not waited for.
#[derive(Debug, Default)]
pub(super) struct OneSet {
    /// Replica sets of which a token was shown, by a live attempt of the task.
    shown: BTreeMap<TaskId, ReplicaSetKey>,
    /// What each task's newest row is bound to.
    bound: BTreeMap<TaskId, ReplicaSetKey>,
    /// The term with which each daemon last loaded the store. It may have begun others since, without a load.
    loaded: BTreeMap<usize, Epoch>,
}

impl Checker for OneSet {
    fn property(&self) -> &'static str {
        "a text stays with its replica set"
    }

    fn promise(&self) -> &'static str {
        "once an attempt has shown a token no other replica set tries the task, unless none of the text is durable \
         and that set was given up first, or the owner that ordered the attempt gave it up before it heard of a token"
    }

    fn see(&mut self, sight: &Sight<'_>, book: &Book) -> Result<(), String> {
        match sight {
            Sight::Term { daemon, loaded, .. } => {
                self.loaded.insert(*daemon, loaded.epoch);
                Ok(())
            }
            Sight::Applied { commit, daemon, .. } => {
                let since = self.loaded.get(daemon).copied().unwrap_or(commit.epoch);
                self.applied(commit, since)
            }
            Sight::Shown { attempt } => {
                // One that is closed already was closed by an owner who took into account that it may have shown some.
                let live = book.attempts.get(attempt);
                if let Some(row) = live.filter(|row| row.state == AttemptState::Live) {
                    self.shown.entry(row.task).or_insert(row.replica_set);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl OneSet {
    /// `since` is the first term of the owner that commits.
    fn applied(&mut self, commit: &Commit, since: Epoch) -> Result<(), String> {
        for mutation in &commit.mutations {
            if let Mutation::TaskUpdate(row) = mutation {
                self.row(row)?;
            }
        }
        for mutation in &commit.mutations {
            if let Mutation::AttemptUpdate(row) = mutation
                && row.epoch >= since
                && !self.bound.contains_key(&row.task)
            {
                self.shown.remove(&row.task);
            }
        }
        for mutation in &commit.mutations {
            if let Mutation::AttemptInsert(row) = mutation
                && let Some(set) = self.shown.get(&row.task)
                && *set != row.replica_set
            {
                return Err(format!(
                    "attempt {} of {} is of another replica set than the one that has shown tokens",
                    row.number, row.task
                ));
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &TaskRecord) -> Result<(), String> {
        let before = match row.replica_set {
            Some(set) => self.bound.insert(row.id, set),
            None => self.bound.remove(&row.id),
        };
        let given_up = before.is_some() && row.replica_set.is_none();
        if given_up && row.position > 0 {
            return Err(format!(
                "{} has {} durable tokens, and gives up the replica set that wrote them",
                row.id, row.position
            ));
        }
        if given_up || row.state.is_final() {
            self.shown.remove(&row.id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use orchestrator_core::id::{AttemptId, Digest, Epoch, ReplicaName};
    use orchestrator_core::task::{AttemptRecord, TaskFault, TaskState};

    use super::*;
    use crate::checkers::testing::{applied, attempt, commit, task};

    const OTHER: ReplicaSetKey = ReplicaSetKey(Digest([9; 32]));

    fn first() -> AttemptRecord {
        let mut row = attempt(1, &ReplicaName::new("pool-0-0"));
        row.task = task(1, TaskState::Dispatched).id;
        row.state = AttemptState::Live;
        row
    }

    fn bound(set: Option<ReplicaSetKey>, position: u64) -> Mutation {
        let mut row = task(1, TaskState::Queued);
        row.replica_set = set;
        row.position = position;
        Mutation::TaskUpdate(Arc::new(row))
    }

    /// A task of which a token was shown, then these mutations, and an attempt on another set.
    fn judged(between: Vec<Mutation>) -> Result<(), String> {
        let (mut checker, mut book) = (OneSet::default(), Book::default());
        let begun = commit(1, 1, vec![Mutation::AttemptInsert(Box::new(first()))]);
        checker.see(&applied(&begun), &book)?;
        book.apply(&begun);
        let shown = Sight::Shown {
            attempt: AttemptId(1),
        };
        checker.see(&shown, &book)?;
        let mut other = first();
        other.id = AttemptId(2);
        other.replica_set = OTHER;
        let mut mutations = between;
        mutations.push(Mutation::AttemptInsert(Box::new(other)));
        checker.see(&applied(&commit(2, 2, mutations)), &book)
    }

    #[test]
    fn another_set_for_a_text_that_was_shown_is_seen() {
        assert!(judged(vec![]).is_err());
        let set = Some(first().replica_set);
        assert!(judged(vec![bound(set, 0)]).is_err());
        assert_eq!(judged(vec![bound(set, 0), bound(None, 0)]), Ok(()));
    }

    #[test]
    fn only_the_owner_that_ordered_an_attempt_may_close_it_without_heeding_what_it_showed() {
        let closed = |epoch| {
            let mut row = first();
            row.epoch = Epoch(epoch);
            row.state = AttemptState::Failed(TaskFault::WorkerReset);
            vec![Mutation::AttemptUpdate(Box::new(row))]
        };
        // The commit is of epoch 2.
        assert!(judged(closed(1)).is_err());
        assert_eq!(judged(closed(2)), Ok(()));
    }

    #[test]
    fn a_set_that_is_given_up_although_it_wrote_something_durable_is_seen() {
        let set = Some(first().replica_set);
        assert!(judged(vec![bound(set, 3), bound(None, 3)]).is_err());
    }
}
