//! What every operation has at hand.

use std::sync::Arc;

use store::ReadStore;
use tokio::sync::watch;

use super::capacity::Limit;
use super::classes::ClassOffer;
use super::refusals::Refusals;
use super::tallies::Tallies;
use crate::keys::Gate;
use crate::owner::OwnerHandle;
use crate::run::supervision::Supervision;
use crate::stream::StreamHub;
use crate::telemetry::Meter;

/// Everything that the operations need.
pub struct App {
    /// Decides.
    pub owner: OwnerHandle,
    /// Has the records.
    pub reads: Arc<dyn ReadStore>,
    /// Lets callers in.
    pub gate: Gate,
    /// Has the live texts.
    pub streams: Arc<StreamHub>,
    /// Counts.
    pub meter: Meter,
    /// Knows what has become of the engines.
    pub supervision: Supervision,
    /// Has the tasks that were turned away.
    pub refusals: Refusals,
    /// Lets a few count at a time.
    pub tallies: Tallies,
    /// The classes that tasks may ask for.
    pub classes: ClassOffer,
    /// What the capabilities tell of limits.
    pub limits: Vec<Limit>,
    /// Turns true when the daemon ends: streams are then closed without a terminal frame.
    pub closing: watch::Sender<bool>,
}

impl App {
    /// A request did not fit the contract.
    pub fn request_rejected(&self, code: &str, path: &str) {
        tracing::debug!(code, path, "request does not fit the contract");
    }
}
