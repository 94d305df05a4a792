//! All bulks that are remembered.

use std::collections::{BTreeMap, BTreeSet};

use crate::bulk::BulkRecord;
use crate::id::{BulkId, TenantId};

/// Most bulks of a tenant that are remembered, those that run included.
pub const BULKS_PER_TENANT_MAX: usize = 32;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bulks {
    rows: BTreeMap<BulkId, BulkRecord>,
    running: BTreeSet<BulkId>,
    /// The one that walked last. Soft.
    turn: Option<BulkId>,
}

impl Bulks {
    /// A bulk, while it is remembered.
    #[must_use]
    pub fn get(&self, id: BulkId) -> Option<&BulkRecord> {
        self.rows.get(&id)
    }

    /// All of them, by id.
    pub fn rows(&self) -> impl Iterator<Item = &BulkRecord> {
        self.rows.values()
    }

    /// True if a walk is not over.
    pub(crate) fn any_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// A place for one more bulk of a tenant: `Ok` with the one that must go for it, the first to have ended, if
    /// there is no free one.
    ///
    /// # Errors
    /// If as many run as may be remembered.
    pub(crate) fn make_room(&self, tenant: TenantId) -> Result<Option<BulkId>, ()> {
        let own = || self.rows.values().filter(|row| row.filter.tenant == tenant);
        if own().count() < BULKS_PER_TENANT_MAX {
            return Ok(None);
        }
        let ended = own().filter_map(|row| Some((row.ended_at?, row.id)));
        ended.min().map(|(_, id)| Some(id)).ok_or(())
    }

    /// Takes in a bulk as it is now.
    pub(crate) fn put(&mut self, row: BulkRecord) {
        if row.ended_at.is_none() {
            self.running.insert(row.id);
        } else {
            self.running.remove(&row.id);
        }
        self.rows.insert(row.id, row);
    }

    /// Forgets a bulk.
    pub(crate) fn forget(&mut self, id: BulkId) {
        self.rows.remove(&id);
        self.running.remove(&id);
    }

    /// The one whose turn it is to walk on: they go round.
    pub(crate) fn next_turn(&mut self) -> Option<BulkRecord> {
        let after = |last| self.running.iter().copied().find(|id| Some(*id) > last);
        let next = after(self.turn).or_else(|| after(None))?;
        self.turn = Some(next);
        self.rows.get(&next).cloned()
    }
}

impl FromIterator<BulkRecord> for Bulks {
    fn from_iter<I: IntoIterator<Item = BulkRecord>>(records: I) -> Self {
        let mut all = Self::default();
        for row in records {
            all.put(row);
        }
        all
    }
}
