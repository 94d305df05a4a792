//! What is refused for the sake of a quota, with the figures.

use crate::id::PoolName;
use crate::quota::{QuotaLimit, QuotaOf, QuotaSubject};

/// What is refused for the sake of a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaRefusal {
    /// The revision is another than the one to replace.
    Conflict {
        /// Whose.
        of: QuotaOf,
        /// The revision that was to be replaced.
        asked: u64,
        /// The one there is; 0: none.
        revision: u64,
    },
    /// There is no room at the moment.
    Exceeded {
        /// Whose quota it is.
        subject: QuotaSubject,
        /// Which limit.
        limit: QuotaLimit,
        /// The limit's figure: for a rate of requests, the burst.
        max: u64,
        /// What is left of it.
        left: u64,
        /// What the task would take of it.
        asked: u64,
        /// Seconds in which as much as the limit flows back, rounded up; `None`: it comes back with the end of tasks.
        window_s: Option<u64>,
        /// Milliseconds until it may be worth trying again.
        retry_after_ms: u64,
    },
    /// It asks for more than the limit itself, so that no wait helps.
    Unmeetable {
        /// Whose quota it is.
        subject: QuotaSubject,
        /// Which limit.
        limit: QuotaLimit,
        /// The limit's figure.
        max: u64,
        /// What the task would take of it; `None`: a pool that may run it does not tell.
        asked: Option<u64>,
    },
    /// Not every pool tells how much cache a token takes, so that nothing could hold the limit.
    Unenforceable {
        /// The pools that do not tell, sorted.
        pools: Vec<PoolName>,
    },
}
