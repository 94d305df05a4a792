//! Queues that people hold: they accept, and dispatch nothing.

use std::collections::BTreeMap;

use crate::id::{PoolName, PrincipalId};
use crate::time::WallMs;

/// Someone holds a queue, or lets it go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSwitch {
    /// Of which pool; none: that of all pools together, which is a switch of its own.
    pub pool: Option<PoolName>,
    /// Who asks.
    pub by: PrincipalId,
}

/// How a queue was switched last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseRecord {
    /// Of which pool; none: of all.
    pub pool: Option<PoolName>,
    /// True if it is held.
    pub paused: bool,
    /// Since when.
    pub at: WallMs,
    /// Who did it.
    pub by: PrincipalId,
}

/// Every switch that was ever touched. A pool dispatches if neither its own switch nor that of all holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pauses {
    rows: BTreeMap<Option<PoolName>, PauseRecord>,
}

impl Pauses {
    /// Is a pool held, by its own switch or by that of all?
    #[must_use]
    pub fn hold(&self, pool: &PoolName) -> bool {
        self.on(&None) || self.on(&Some(pool.clone()))
    }

    /// Every switch that was ever touched: that of all pools, then the pools by name.
    pub fn rows(&self) -> impl Iterator<Item = &PauseRecord> {
        self.rows.values()
    }

    /// Switches. The row, and whether that changed anything: one that stood so before stays as it was, with who did
    /// it first.
    pub(crate) fn switch(
        &mut self,
        at: WallMs,
        switch: QueueSwitch,
        paused: bool,
    ) -> (PauseRecord, bool) {
        let QueueSwitch { pool, by } = switch;
        if let Some(row) = self.rows.get(&pool).filter(|row| row.paused == paused) {
            return (row.clone(), false);
        }
        let row = PauseRecord {
            pool,
            paused,
            at,
            by,
        };
        self.rows.insert(row.pool.clone(), row.clone());
        (row, true)
    }

    fn on(&self, pool: &Option<PoolName>) -> bool {
        self.rows.get(pool).is_some_and(|row| row.paused)
    }
}

impl FromIterator<PauseRecord> for Pauses {
    fn from_iter<I: IntoIterator<Item = PauseRecord>>(records: I) -> Self {
        let rows = records.into_iter().map(|row| (row.pool.clone(), row));
        Self {
            rows: rows.collect(),
        }
    }
}
