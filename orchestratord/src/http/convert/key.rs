//! Keys and their holders.

use api_types as wire;
use orchestrator_core::id::{KeyId, ProjectId};
use orchestrator_core::key::{KeyRecord, KeyScope, KeyStanding, Tenant};
use orchestrator_core::queue::ClassName;
use orchestrator_core::time::WallMs;
use uuid::Uuid;

use super::choice;
use crate::app::{Caller, ListedKeys, MadeKey, NewKey, ShownKey};

/// The key that a request asks for.
pub(in crate::http) fn new_key(request: wire::KeyCreateRequest) -> NewKey {
    let wire::KeyCreateRequest {
        name,
        tenant,
        project_id,
        scopes,
        class_max,
        expires_at_ms,
    } = request;
    NewKey {
        name,
        // The contract's pattern lets in nothing else.
        tenant: tenant.as_deref().and_then(Tenant::named),
        project: project_id.map(|id| ProjectId(id.as_u128())),
        scopes: scopes.into_iter().map(scope_choice).collect(),
        class_max: class_max.as_deref().and_then(choice::class_choice),
        expires_at: expires_at_ms.map(WallMs),
    }
}

/// Id of a key; of none if it cannot be read, which the contract's pattern lets in nowhere.
pub(in crate::http) fn key_id(text: &str) -> KeyId {
    KeyId(u64::from_str_radix(text, 16).unwrap_or(0))
}

/// A key that was made, with the key itself.
pub(in crate::http) fn key_created(made: &MadeKey) -> wire::KeyCreated {
    let MadeKey { api_key, shown } = made;
    wire::KeyCreated {
        api_key: api_key.reveal().to_owned(),
        key: key(shown),
    }
}

/// A page of keys.
pub(in crate::http) fn key_page(listed: &ListedKeys) -> wire::KeyPage {
    let ListedKeys { keys, next } = listed;
    wire::KeyPage {
        keys: keys.iter().map(key).collect(),
        next_cursor: next.clone(),
    }
}

/// A key, without the key itself.
pub(in crate::http) fn key(shown: &ShownKey) -> wire::Key {
    let ShownKey { record, now } = shown;
    let state = record.standing(*now);
    let KeyRecord {
        id,
        mac: _,
        server_key: _,
        tenant,
        project,
        name,
        scopes,
        class_max,
        created_at,
        created_by,
        expires_at,
        revoked_at,
        replaced_by,
    } = &**record;
    wire::Key {
        key_id: id.to_string(),
        tenant: tenant.name().to_owned(),
        project_id: project.map(|project| Uuid::from_u128(project.0)),
        name: name.clone(),
        scopes: scopes.iter().map(scope).collect(),
        class_max: class_max.to_string(),
        state: match state {
            KeyStanding::Active => wire::KeyState::Active,
            KeyStanding::Expired => wire::KeyState::Expired,
            KeyStanding::Revoked => wire::KeyState::Revoked,
        },
        created_at_ms: created_at.0,
        created_by: created_by.key().map(|key| key.to_string()),
        expires_at_ms: expires_at.map(|at| at.0),
        revoked_at_ms: revoked_at.map(|at| at.0),
        replaced_by: replaced_by.map(|key| key.to_string()),
    }
}

/// Who asks. Who has no key may use even the most urgent class.
pub(in crate::http) fn whoami(caller: &Caller, most_urgent: ClassName) -> wire::Whoami {
    let key = caller.key();
    wire::Whoami {
        tenant: caller.tenant_named().name().to_owned(),
        project_id: caller.project().map(|id| Uuid::from_u128(id.0)),
        key_id: key.map(|key| key.id.to_string()),
        key_name: key.map(|key| key.name.clone()),
        scopes: caller.scopes().iter().map(scope).collect(),
        class_max: caller.class_max().unwrap_or(most_urgent).to_string(),
        expires_at_ms: key.and_then(|key| key.expires_at).map(|at| at.0),
    }
}

fn scope_choice(choice: wire::KeyScopeChoice) -> KeyScope {
    match choice {
        wire::KeyScopeChoice::Backup => KeyScope::Backup,
        wire::KeyScopeChoice::Node => KeyScope::Node,
        wire::KeyScopeChoice::Operator => KeyScope::Operator,
        wire::KeyScopeChoice::User => KeyScope::User,
    }
}

fn scope(scope: KeyScope) -> wire::KeyScope {
    match scope {
        KeyScope::Backup => wire::KeyScope::Backup,
        KeyScope::Node => wire::KeyScope::Node,
        KeyScope::Operator => wire::KeyScope::Operator,
        KeyScope::User => wire::KeyScope::User,
    }
}
