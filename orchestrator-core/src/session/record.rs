//! What is remembered of a session.

use crate::id::{ReplicaName, SessionId, SessionKey, TenantId};
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
