//! What the daemon does for a caller, in its own words: neither HTTP nor SQL.
//!
//! Each function has the name of its operation. A *record read* asks the store, a *live read* asks the owner,
//! a change is a command to the machine. Rules stand in the machine; here is only who to ask.

mod batch;
mod bulk;
mod caller;
mod capacity;
mod classes;
mod commands;
mod keys;
mod operations;
mod queue;
mod quotas;
mod refusals;
mod result;
mod sessions;
mod tallies;
mod tasks;
mod trouble;

pub use bulk::{NewBulk, ShownBulk};
pub use caller::Caller;
pub use capacity::{Capabilities, Limit, PoolHealth};
pub use classes::{ClassOffer, class_configs};
pub use keys::{ListedKeys, MadeKey, NewKey, ShownKey};
pub use operations::App;
pub use queue::QueueState;
pub use quotas::{ListedQuotas, NewQuota, QuotaName};
pub use refusals::{KeptRefusal, ListedRefusals, Refusals};
pub use result::TaskOutcome;
pub use sessions::NewSession;
pub use tallies::Tallies;
pub use tasks::{Created, ListFilter, ListedTasks, NewTask, ShownTask, WatchedTask, waiting};
pub use trouble::{Missing, Prerequisite, Trouble};
