//! Tasks are conserved.

use std::collections::BTreeMap;

use orchestrator_core::task::TaskEnd;
use store::ReadStore;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::story::Name;
use crate::world::at_once;

/// Watches, at the end, that the store holds each accepted task once, with the text that its record speaks of,
/// and that what is live and what has ended is everything.
#[derive(Debug, Default)]
pub(super) struct Conservation;

impl Checker for Conservation {
    fn property(&self) -> &'static str {
        "conservation"
    }

    fn promise(&self) -> &'static str {
        "accepted = completed + failed + cancelled + parked + live, without a gap in the order of acceptance, and \
         every text is as long as its record says"
    }

    fn see(&mut self, sight: &Sight<'_>, book: &Book) -> Result<(), String> {
        let Sight::End {
            rows,
            loaded,
            store,
        } = sight
        else {
            return Ok(());
        };
        if rows.len() != book.tasks.len() {
            return Err(format!(
                "{} tasks were made durable, and {} are there",
                book.tasks.len(),
                rows.len()
            ));
        }
        let mut states: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut seqs: Vec<u64> = Vec::new();
        for row in *rows {
            let record = &row.record;
            *states.entry(record.state.name()).or_default() += 1;
            seqs.push(record.seq.0);
            if book.tasks.get(&record.id) != Some(record) {
                return Err(format!("{} is not what was committed", Name(record.id)));
            }
            if let Some(TaskEnd::Finished { tokens_out, .. }) = &record.end {
                let text =
                    at_once(store.task_text(record.id)).map_err(|error| error.to_string())?;
                let tokens = text.map_or(0, |text| text.tokens());
                if tokens != *tokens_out || tokens != record.position {
                    return Err(format!(
                        "{} has a text of {tokens} tokens, {tokens_out} at its end, {} in its record",
                        Name(record.id),
                        record.position
                    ));
                }
            }
        }
        seqs.sort_unstable();
        if !seqs.iter().copied().eq(1..=seqs.len() as u64) {
            return Err(format!("the order of acceptance has gaps: {seqs:?}"));
        }
        let live: usize = rows
            .iter()
            .filter(|row| !row.record.state.is_final())
            .count();
        if live != loaded.tasks.len() {
            return Err(format!(
                "{} tasks are live by a load, and {live} by a list",
                loaded.tasks.len()
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orchestrator_core::task::TaskState;
    use store::TaskRow;

    use super::*;
    use crate::checkers::testing::{loaded, task};
    use crate::world::SimStore;

    #[test]
    fn a_task_that_nobody_accepted_is_seen() {
        let store = SimStore::new(None);
        let rows = vec![TaskRow {
            record: task(1, TaskState::Queued),
            metadata: Vec::new(),
        }];
        let loaded = loaded(vec![]);
        let end = Sight::End {
            rows: &rows,
            loaded: &loaded,
            store: &store,
        };
        assert!(Conservation.see(&end, &Book::default()).is_err());
    }
}
