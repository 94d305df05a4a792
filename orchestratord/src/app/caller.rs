//! Who calls.

use std::sync::Arc;

use orchestrator_core::id::{KeyId, PrincipalId, ProjectId, TenantId};
use orchestrator_core::key::{KeyRecord, Scopes, Tenant};
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::TaskRecord;

/// Who calls: the holder of a key, or by default anybody, where the daemon has no keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    key: Option<Arc<KeyRecord>>,
}

impl Caller {
    /// The holder of a key.
    #[must_use]
    pub fn of(key: &Arc<KeyRecord>) -> Self {
        Self {
            key: Some(Arc::clone(key)),
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Option<&KeyRecord> {
        self.key.as_deref()
    }

    /// Id of the key.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        self.key().map(|key| key.id)
    }

    /// Whose things it sees.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.key().map_or(TenantId::DEFAULT, |key| key.tenant.id())
    }

    /// Whose things it sees, with the name.
    #[must_use]
    pub fn tenant_named(&self) -> Tenant {
        self.key()
            .map_or_else(Tenant::default, |key| key.tenant.clone())
    }

    /// Who it is, as rows remember it.
    #[must_use]
    pub fn principal(&self) -> PrincipalId {
        self.key_id().map_or(PrincipalId::SYSTEM, PrincipalId::from)
    }

    /// The one project that it works in, if it is bound to one.
    #[must_use]
    pub fn project(&self) -> Option<ProjectId> {
        self.key()?.project
    }

    /// What it is allowed to.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.key().map_or(Scopes::ALL, |key| key.scopes)
    }

    /// Highest class that its tasks wait in; any if none.
    #[must_use]
    pub fn class_max(&self) -> Option<ClassName> {
        self.key().map(|key| key.class_max)
    }

    /// True if it may see a task of its tenant.
    #[must_use]
    pub fn sees(&self, task: &TaskRecord) -> bool {
        self.project().is_none_or(|project| project == task.project)
    }
}
