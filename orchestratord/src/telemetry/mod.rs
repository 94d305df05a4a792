//! What operators see: log lines and metrics.
//!
//! Metrics are fed from what was committed, so they count what happened and not what was tried. Names,
//! labels, help texts and buckets stand in `contracts/metrics/orchestratord.json`.

mod commits;
mod connection;
mod contract;
mod deadlines;
mod depths;
mod log;
mod meter;
mod shares;

pub use connection::OpenConnection;
pub use contract::{MetricContract, MetricKind, contract};
pub use log::init as init_log;
pub use meter::{Meter, ReplicaLabels};
