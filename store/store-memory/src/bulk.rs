//! Bulks, with their guards.

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::BulkId;
use store::CommitError;

use crate::apply::{Undo, broken};
use crate::state::State;

impl State {
    pub(crate) fn bulk_put(
        &mut self,
        record: &BulkRecord,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let before = self.bulks.get(&record.id).cloned();
        if let Some(before) = &before {
            let same = BulkRecord {
                place: record.place,
                count: record.count,
                ended_at: record.ended_at,
                ..before.clone()
            };
            if before.ended_at.is_some() || same != *record {
                return Err(broken(format!(
                    "bulk {} has ended, or what of it never changes is to be changed",
                    record.id
                )));
            }
        }
        self.bulks.insert(record.id, record.clone());
        undo.push(Undo::Bulk(record.id, before.map(Box::new)));
        Ok(())
    }

    pub(crate) fn bulk_forget(
        &mut self,
        bulk: BulkId,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let before = self
            .bulks
            .remove(&bulk)
            .ok_or_else(|| broken(format!("bulk {bulk} to forget does not exist")))?;
        undo.push(Undo::Bulk(bulk, Some(Box::new(before))));
        Ok(())
    }
}
