//! What is remembered of a session.

use crate::id::{AcceptSeq, PrincipalId, ReplicaName, SessionId, SessionKey, TenantId};
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
    /// The first task that can be its own: earlier ones of the same id belong to another session.
    pub began: AcceptSeq,
    /// What it may use.
    pub budget: SessionBudget,
    /// What tasks of it that have ended, and attempts that have, used of what is limited.
    pub spent: Amounts,
    /// Milliseconds that it lives after it was touched; as configured if none.
    pub ttl_ms: Option<u64>,
    /// Who put it last, and when, if somebody did.
    pub put: Option<(PrincipalId, WallMs)>,
    /// When it was put, or a task of it was accepted or ended, whatever was last; its life is counted from here.
    pub touched_at: WallMs,
}

/// What a session may use and how long it lives, in the place of what was said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPut {
    /// Which.
    pub session: SessionKey,
    /// What it may use from now on.
    pub budget: SessionBudget,
    /// Milliseconds that it lives after it was touched; as configured if none.
    pub ttl_ms: Option<u64>,
    /// Who asks.
    pub put_by: PrincipalId,
}

impl SessionRecord {
    /// What it is found by.
    #[must_use]
    pub const fn key(&self) -> SessionKey {
        SessionKey::new(self.tenant, self.id)
    }
}
