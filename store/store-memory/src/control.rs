//! What operators put: keys and quotas, each guarded.

use orchestrator_core::key::KeyRecord;
use orchestrator_core::quota::QuotaRecord;
use store::CommitError;

use crate::apply::{Undo, broken};
use crate::state::State;

impl State {
    pub(crate) fn key_put(
        &mut self,
        record: &KeyRecord,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let before = self.keys.get(&record.id).cloned();
        if let Some(before) = &before {
            let same = KeyRecord {
                expires_at: record.expires_at,
                revoked_at: record.revoked_at,
                replaced_by: record.replaced_by,
                ..before.clone()
            };
            if same != *record {
                return Err(broken(format!(
                    "what of key {} never changes is to be changed",
                    record.id
                )));
            }
        }
        self.keys.insert(record.id, record.clone());
        undo.push(Undo::Key(record.id, before.map(Box::new)));
        Ok(())
    }

    pub(crate) fn quota_put(
        &mut self,
        record: &QuotaRecord,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let subject = record.of.subject();
        let before = self.quotas.get(&subject).cloned();
        let revision = before.as_ref().map_or(0, |before| before.revision);
        let same = before.as_ref().is_none_or(|before| before.of == record.of);
        if record.revision != revision + 1 || !same {
            return Err(broken(format!(
                "the quota of {:?} is not at the revision before {}",
                record.of, record.revision
            )));
        }
        self.quotas.insert(subject, record.clone());
        undo.push(Undo::Quota(subject, before.map(Box::new)));
        Ok(())
    }
}
