//! Nothing is released before its commit.

use orchestrator_core::effect::Effect;
use orchestrator_core::key::KeyRecord;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::TaskRecord;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::story::Name;

/// Watches that whatever leaves the owner is what is durable at that moment.
#[derive(Debug, Default)]
pub(super) struct ReleasedDurable;

impl Checker for ReleasedDurable {
    fn property(&self) -> &'static str {
        "nothing released before its commit"
    }

    fn promise(&self) -> &'static str {
        "every answer and every effect shows what is durable when it leaves"
    }

    fn see(&mut self, sight: &Sight<'_>, book: &Book) -> Result<(), String> {
        match sight {
            Sight::Effect { effect, .. } => justified(effect, book),
            Sight::Answer {
                reply: Ok(reply), ..
            } => match reply {
                Reply::TaskCreated { record, .. } | Reply::TaskRequeued(record) => {
                    shown(record, book)
                }
                Reply::TaskCancelled(record) => {
                    shown(record, book)?;
                    if record.state.is_final() {
                        Ok(())
                    } else {
                        Err(format!(
                            "a cancel of {} is answered while it is {:?}",
                            Name(record.id),
                            record.state
                        ))
                    }
                }
                Reply::BulkBegun(row) => match book.bulks_ever.get(&row.id) {
                    // An id that was forgotten may have begun anew since.
                    Some(kept) if kept.place >= row.place || kept.at > row.at => Ok(()),
                    kept => Err(format!("{row:?} is shown, and {kept:?} is durable")),
                },
                Reply::KeyCreated(key) | Reply::KeyRevoked(key) => shown_key(key, book),
                Reply::QueueSwitched(row) => {
                    let mut of_pool = book.switches.iter().filter(|kept| kept.pool == row.pool);
                    // A queue that nobody ever held goes on; what is shown may be over already.
                    if of_pool.clone().next().is_none() && !row.paused
                        || of_pool.any(|kept| kept == &**row)
                    {
                        Ok(())
                    } else {
                        Err(format!("the switch {row:?} is shown, and is not durable"))
                    }
                }
                Reply::QuotaPut(view) => {
                    let put = view.put.as_ref().map_or(0, |put| put.revision);
                    let kept = book.quotas.get(&view.of.subject());
                    if kept.is_some_and(|kept| kept.revision >= put) {
                        Ok(())
                    } else {
                        Err(format!(
                            "revision {put} of a quota is shown, and is not durable"
                        ))
                    }
                }
                Reply::Refused(_)
                | Reply::SessionDeleted
                | Reply::SessionPut(_)
                | Reply::TaskRefused(_) => Ok(()),
            },
            Sight::Known { commit, .. } if commit.commit_seq > book.commits => Err(format!(
                "commit {} is said to be durable, and {} is the last",
                commit.commit_seq, book.commits
            )),
            _ => Ok(()),
        }
    }
}

/// The record, or a later one of the task, is durable.
fn shown(record: &TaskRecord, book: &Book) -> Result<(), String> {
    match book.tasks.get(&record.id) {
        Some(row) if row.revision >= record.revision => Ok(()),
        Some(row) => Err(format!(
            "{} is shown at revision {}, and {} is durable",
            Name(record.id),
            record.revision,
            row.revision
        )),
        None => Err(format!("{} is shown, and is not durable", Name(record.id))),
    }
}

/// The key, or how it has ended since, is durable.
fn shown_key(key: &KeyRecord, book: &Book) -> Result<(), String> {
    let same_but_for_its_end = |kept: &KeyRecord| {
        let ended = KeyRecord {
            expires_at: kept.expires_at,
            revoked_at: kept.revoked_at,
            replaced_by: kept.replaced_by,
            ..key.clone()
        };
        let has_ended_since = key.revoked_at.is_none() && key.replaced_by.is_none();
        ended == *kept && has_ended_since
    };
    match book.keys.get(&key.id) {
        Some(kept) if kept == key || same_but_for_its_end(kept) => Ok(()),
        kept => Err(format!(
            "key {} is shown, and is durable as {kept:?}",
            key.id
        )),
    }
}

fn justified(effect: &Effect, book: &Book) -> Result<(), String> {
    match effect {
        Effect::AttemptCancel { attempt, .. } => match book.attempts.get(attempt) {
            Some(_) => Ok(()),
            None => Err(format!("attempt {attempt} is stopped, and is not durable")),
        },
        Effect::AttemptStart(order) => match book.attempts.get(&order.attempt) {
            Some(_) => Ok(()),
            None => Err(format!(
                "an attempt of {} is ordered, and is not durable",
                Name(order.task)
            )),
        },
        Effect::TaskEnded { task, end, .. } => match book.tasks.get(task) {
            Some(row) if row.state.is_final() && row.end.as_ref() == Some(end) => Ok(()),
            Some(row) => Err(format!(
                "readers of {} are told {end:?}, and {:?} is durable",
                Name(*task),
                row.end
            )),
            None => Err(format!(
                "readers of {} are told its end, and it is not durable",
                Name(*task)
            )),
        },
        Effect::TaskStarted { task, .. } => match book.tasks.get(task) {
            Some(row) if row.started.is_some() => Ok(()),
            _ => Err(format!(
                "readers of {} are told that it started, and that is not durable",
                Name(*task)
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use orchestrator_core::mutation::Mutation;
    use orchestrator_core::task::TaskState;

    use super::*;
    use crate::checkers::testing::{answer, commit, task};

    #[test]
    fn an_answer_ahead_of_its_commit_is_seen() {
        let mut checker = ReleasedDurable;
        let mut book = Book::default();
        let record = Arc::new(task(1, TaskState::Queued));
        let reply = Ok(Reply::TaskCreated {
            record: record.clone(),
            replayed: false,
        });
        assert!(checker.see(&answer(&reply), &book).is_err());
        let body = orchestrator_core::id::PayloadRef(1);
        let insert = Mutation::TaskInsert { record, body };
        book.apply(&commit(1, 1, vec![insert]));
        assert_eq!(checker.see(&answer(&reply), &book), Ok(()));
    }
}
