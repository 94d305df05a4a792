//! Who calls.

use orchestrator_core::id::{PrincipalId, ProjectId, TenantId};

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
