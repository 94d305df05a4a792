//! The one total order.

use crate::id::AcceptSeq;
use crate::task::Priority;

/// Place of a queued task in the total order: less is sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// 0 is the interactive band, 1 the batch band.
    band: u8,
    /// Order inside a band.
    seq: AcceptSeq,
}

/// Where a task stands among all queued tasks.
///
/// The interactive band goes before the batch band. `aged` says that the task has waited for the ageing
/// bound: a batch task then counts as interactive, and, being accepted earlier, goes before every interactive
/// task accepted after it. Inside a band the accept sequence decides.
#[must_use]
pub fn order(priority: Priority, aged: bool, seq: AcceptSeq) -> OrderKey {
    let band = match priority {
        Priority::Interactive => 0,
        Priority::Batch if aged => 0,
        Priority::Batch => 1,
    };
    OrderKey { band, seq }
}

impl OrderKey {
    /// True if the task counts as interactive.
    pub(crate) fn in_first_band(self) -> bool {
        self.band == 0
    }
}
