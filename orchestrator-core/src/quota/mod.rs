//! How much a tenant or a key may use: limits, what is used of them, and the refusal of who would go beyond.
//!
//! A task counts against its tenant and against the key that created it, and both quotas must have room. A limit
//! that is missing is no limit. Four things are limited:
//!
//! | limit | what is counted | given back |
//! |---|---|---|
//! | `tasks_live_max` | tasks accepted and not ended | at the end of the task |
//! | `requests_per_s`, with `burst` | tasks accepted; a repeat and a refusal are none | with time |
//! | `tokens_per_min` | what live tasks may use at most, and what ended ones used | what was not used at the end of the task, the rest with time |
//! | `kv_mb_max` | cache that live tasks may fill at most | at the end of the task |
//!
//! What live tasks hold is summed up from the tasks themselves ([`Quotas`] keeps the sums), so it needs no memory of
//! its own. What flows back with time is a [`Bucket`], and hard state: written with the accept or the end that changed
//! it.
//!
//! A key that takes another's place goes on under that one's quota and shares what is left of it: the successors of a
//! key are one *line*, counted under the first.

mod book;
mod bucket;
mod limits;
mod quotas;
mod record;
mod refusal;

pub use bucket::{Bucket, UNITS_PER_REQUEST, UNITS_PER_TOKEN};
pub use limits::{QuotaLimit, QuotaLimits, RequestRate};
pub use quotas::Quotas;
pub use record::{QuotaLevels, QuotaOf, QuotaPut, QuotaRecord, QuotaSubject, QuotaView};
pub use refusal::QuotaRefusal;

pub(crate) use book::Claim;
