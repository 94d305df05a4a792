//! Bulks end, and touch what they may.

use std::collections::BTreeMap;

use orchestrator_core::bulk::{BulkAction, BulkFilter, BulkRecord};
use orchestrator_core::id::TaskId;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::task::{TaskRecord, TaskState};
use store::{Commit, Loaded};

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::story::Name;

/// Watches that what a bulk counts as changed in a commit are tasks that changed there, that fit its filter and had
/// been accepted when it began; that a cancel which is done has left none of them; and that each bulk ends.
#[derive(Debug, Default)]
pub(super) struct Bulks;

/// A task that changed, as it was before and is now.
type Change = (TaskState, TaskRecord);

/// May a bulk touch the task? In which state it is when the walk comes to it is another matter.
fn is_in_reach(bulk: &BulkRecord, task: &TaskRecord) -> bool {
    let filter = BulkFilter {
        state: None,
        ..bulk.filter
    };
    let live = TaskRecord {
        state: TaskState::Queued,
        ..task.clone()
    };
    task.seq <= bulk.through && filter.matches(&live)
}

/// Can this be the bulk's work?
fn is_done_by(bulk: &BulkRecord, (before, task): &Change) -> bool {
    let changed = match bulk.action {
        BulkAction::Cancel => {
            *before != TaskState::CancelRequested
                && matches!(
                    task.state,
                    TaskState::CancelRequested | TaskState::Cancelled
                )
        }
        BulkAction::Requeue => *before == TaskState::Parked && task.state != TaskState::Parked,
    };
    changed && is_in_reach(bulk, task)
}

fn changes(commit: &Commit, book: &Book) -> Vec<Change> {
    let mut states: BTreeMap<TaskId, TaskState> = BTreeMap::new();
    let mut all = Vec::new();
    for mutation in &commit.mutations {
        match mutation {
            Mutation::TaskInsert { record, .. } => {
                states.insert(record.id, record.state);
            }
            Mutation::TaskUpdate(record) => {
                let before = states.insert(record.id, record.state);
                let known = book.tasks.get(&record.id).map(|kept| kept.state);
                if let Some(before) = before.or(known) {
                    all.push((before, TaskRecord::clone(record)));
                }
            }
            _ => {}
        }
    }
    all
}

fn judge(commit: &Commit, durable: &Loaded, book: &Book) -> Result<(), String> {
    let mut last: BTreeMap<_, &BulkRecord> = BTreeMap::new();
    for mutation in &commit.mutations {
        if let Mutation::BulkPut(row) = mutation {
            last.insert(row.id, row);
        }
    }
    if last.is_empty() {
        return Ok(());
    }
    let changes = changes(commit, book);
    for row in last.into_values() {
        let before = book.bulks.get(&row.id);
        let claimed = row.count.changed - before.map_or(0, |before| before.count.changed);
        let done = changes.iter().filter(|change| is_done_by(row, change));
        let done = done.count() as u64;
        if claimed > done {
            return Err(format!(
                "bulk {} counts {claimed} tasks as changed, and of those that it may touch {done} changed",
                row.id
            ));
        }
        let whole = row.filter.state.is_none() && row.action == BulkAction::Cancel;
        let left = durable.tasks.iter().find(|task| {
            row.ended_at.is_some()
                && whole
                && row.action.changes(task.state)
                && is_in_reach(row, task)
        });
        if let Some(left) = left {
            return Err(format!(
                "bulk {} is done, and {} is {:?}",
                row.id,
                Name(left.id),
                left.state
            ));
        }
    }
    Ok(())
}

impl Checker for Bulks {
    fn property(&self) -> &'static str {
        "a bulk ends and touches what it may"
    }

    fn promise(&self) -> &'static str {
        "what a bulk changes fits its filter and was accepted before it began, a cancel that is done has left none of \
         it, and every bulk is done in the end"
    }

    fn see(&mut self, sight: &Sight<'_>, book: &Book) -> Result<(), String> {
        match sight {
            Sight::Applied {
                commit, durable, ..
            } => judge(commit, durable, book),
            Sight::End { loaded, .. } => {
                let runs = loaded.bulks.iter().find(|row| row.ended_at.is_none());
                runs.map_or(Ok(()), |row| Err(format!("bulk {} has not ended", row.id)))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use orchestrator_core::bulk::BulkCount;
    use orchestrator_core::id::{AcceptSeq, BulkId, PayloadRef, PrincipalId};
    use orchestrator_core::time::WallMs;

    use super::*;
    use crate::checkers::testing::{applied, commit, loaded, task};

    fn bulk(through: u64, changed: u64) -> BulkRecord {
        let filter = BulkFilter::of(task(1, TaskState::Queued).tenant);
        BulkRecord {
            id: BulkId(1),
            action: BulkAction::Cancel,
            filter,
            by: PrincipalId::SYSTEM,
            at: WallMs(0),
            through: AcceptSeq(through),
            place: None,
            count: BulkCount {
                matched: changed,
                changed,
            },
            ended_at: None,
        }
    }

    fn cancels(seq: u64, bulk: BulkRecord) -> Commit {
        let record = Arc::new(task(seq, TaskState::Cancelled));
        let update = Mutation::TaskUpdate(record);
        commit(1, 2, vec![update, Mutation::BulkPut(Box::new(bulk))])
    }

    #[test]
    fn a_task_that_was_accepted_after_it_began_is_seen() {
        let mut book = Book::default();
        let record = Arc::new(task(5, TaskState::Queued));
        let body = PayloadRef(1);
        book.apply(&commit(1, 1, vec![Mutation::TaskInsert { record, body }]));
        let right = cancels(5, bulk(5, 1));
        assert_eq!(Bulks.see(&applied(&right), &book), Ok(()));
        let wrong = cancels(5, bulk(4, 1));
        assert!(Bulks.see(&applied(&wrong), &book).is_err());
    }

    #[test]
    fn a_task_that_is_left_and_a_bulk_that_does_not_end_are_seen() {
        let left = loaded(vec![task(5, TaskState::Queued)]);
        let mut row = bulk(5, 0);
        row.ended_at = Some(WallMs(1));
        let ends = commit(1, 1, vec![Mutation::BulkPut(Box::new(row.clone()))]);
        let book = Book::default();
        assert!(judge(&ends, &left, &book).is_err());
        assert_eq!(judge(&ends, &Loaded::default(), &book), Ok(()));
        row.through = AcceptSeq(4);
        let ends = commit(1, 1, vec![Mutation::BulkPut(Box::new(row))]);
        assert_eq!(judge(&ends, &left, &book), Ok(()));
    }
}
