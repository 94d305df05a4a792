//! What is remembered of a session.

use crate::id::{AcceptSeq, ReplicaName, SessionId, SessionKey, TenantId};
use crate::session::{Amounts, SessionBudget};
use crate::time::WallMs;

/// What is remembered of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Tasks accepted into it so far.
    pub turns: u32,
    /// Replica of its newest dispatch.
    pub replica: Option<ReplicaName>,
    /// The task that it began with: earlier ones of the same id belong to another session.
    pub began: AcceptSeq,
    /// What it may use.
    pub budget: SessionBudget,
    /// What tasks of it that have ended, and attempts that have, used of what is limited.
    pub spent: Amounts,
    /// When a task of it was last accepted or ended; its life is counted from here.
    pub touched_at: WallMs,
}

impl SessionRecord {
    /// What it is found by.
    #[must_use]
    pub const fn key(&self) -> SessionKey {
        SessionKey::new(self.tenant, self.id)
    }
}
