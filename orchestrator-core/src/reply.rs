//! Everything the machine can answer. A reply is released only after the mutations of its step are durable.

use std::sync::Arc;

use crate::bulk::BulkRecord;
use crate::key::KeyRecord;
use crate::queue::PauseRecord;
use crate::quota::QuotaView;
use crate::refusal::{Refusal, RefusedTask};
use crate::session::SessionView;
use crate::task::TaskRecord;

/// The answer to one command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The bulk has begun, now or before; how far it has come.
    BulkBegun(Box<BulkRecord>),
    /// A new key, also where it takes the place of another.
    KeyCreated(Arc<KeyRecord>),
    /// The key has ended, now or before.
    KeyRevoked(Arc<KeyRecord>),
    /// The queue is held or goes on, since now or before.
    QueueSwitched(Box<PauseRecord>),
    /// The quota is put.
    QuotaPut(Box<QuotaView>),
    /// Not done, nothing changed.
    Refused(Refusal),
    /// The session is gone.
    SessionDeleted,
    /// The session as it is now.
    SessionPut(Box<SessionView>),
    /// The task as it is after the cancel: cancelled, or ended before.
    TaskCancelled(Arc<TaskRecord>),
    /// The task is accepted.
    TaskCreated {
        /// Its record.
        record: Arc<TaskRecord>,
        /// True if it had been accepted by an earlier request with the same id or idempotency key and the same body.
        replayed: bool,
    },
    /// The task may not come in, nothing changed; what was found when that was decided.
    TaskRefused(Box<RefusedTask>),
    /// The task as it is after it was to be taken back into the queue.
    TaskRequeued(Arc<TaskRecord>),
}

impl Reply {
    /// The refusal, if it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::TaskRefused(refused) => Some(&refused.refusal),
            _ => None,
        }
    }
}
