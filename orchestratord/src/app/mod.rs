//! What the daemon does for a caller, in its own words: neither HTTP nor SQL.
//!
//! Each function has the name of its operation. A *record read* asks the store, a *live read* asks the owner,
//! a change is a command to the machine. Rules stand in the machine; here is only who to ask.

mod capacity;
mod commands;
mod sessions;
mod tasks;
mod trouble;

use std::sync::Arc;

use orchestrator_core::id::{PrincipalId, ProjectId, TenantId};
use store::ReadStore;
use tokio::sync::watch;

use crate::owner::OwnerHandle;
use crate::run::fleet::Restarts;
use crate::stream::StreamHub;
use crate::telemetry::Meter;

pub use capacity::{Capabilities, Limit, PoolHealth};
pub use tasks::{Created, ListFilter, ListedTasks, NewTask, ShownTask};
pub use trouble::{Missing, Prerequisite, Trouble};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose things it sees.
    pub tenant: TenantId,
    /// The project that its tasks go to.
    pub project: ProjectId,
    /// Who it is.
    pub principal: PrincipalId,
}

impl Default for Caller {
    /// The reserved user of a daemon that knows no others.
    fn default() -> Self {
        Self {
            tenant: TenantId::DEFAULT,
            project: ProjectId::DEFAULT,
            principal: PrincipalId::SYSTEM,
        }
    }
}

/// Everything that the operations need.
pub struct App {
    /// Decides.
    pub owner: OwnerHandle,
    /// Has the records.
    pub reads: Arc<dyn ReadStore>,
    /// Has the live texts.
    pub streams: Arc<StreamHub>,
    /// Counts.
    pub meter: Meter,
    /// Counts restarts of engines.
    pub restarts: Restarts,
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
