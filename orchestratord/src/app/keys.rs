//! Keys.

use std::cmp::Reverse;
use std::sync::Arc;

use orchestrator_core::id::{KeyId, ProjectId};
use orchestrator_core::input::Ask;
use orchestrator_core::key::{KeyCreate, KeyRecord, KeyRotate, Keys, Scopes, Tenant};
use orchestrator_core::queue::ClassName;
use orchestrator_core::reply::Reply;
use orchestrator_core::time::WallMs;

use super::{App, Caller, Trouble};
use crate::keys::{ApiKey, ServerKey};

/// Keys on a page unless the caller says otherwise.
const PAGE_DEFAULT: u32 = 50;

/// A key to make.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// Whose things it sees; the caller's own tenant's if none.
    pub tenant: Option<Tenant>,
    /// The one project that it works in.
    pub project: Option<ProjectId>,
    /// What it is allowed to.
    pub scopes: Scopes,
    /// Highest class that its tasks wait in; the most urgent if none.
    pub class_max: Option<ClassName>,
    /// When it expires.
    pub expires_at: Option<WallMs>,
}

/// A key that was made.
#[derive(Debug)]
pub struct MadeKey {
    /// The key itself, for its holder.
    pub api_key: ApiKey,
    /// How it stands.
    pub shown: ShownKey,
}

/// A key to show.
#[derive(Clone, Debug)]
pub struct ShownKey {
    /// What is kept of it.
    pub record: Arc<KeyRecord>,
    /// When it is shown.
    pub now: WallMs,
}

/// A page of keys.
#[derive(Clone, Debug)]
pub struct ListedKeys {
    /// The keys, newest first.
    pub keys: Vec<ShownKey>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

impl App {
    /// Every key there ever was, as it is durable.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.owner.view().keys.clone()
    }

    /// Makes a key.
    ///
    /// # Errors
    /// If it is refused, the daemon has no keys at all, or the outcome is not known.
    pub async fn key_create(&self, caller: &Caller, key: NewKey) -> Result<MadeKey, Trouble> {
        let NewKey {
            name,
            tenant,
            project,
            scopes,
            class_max,
            expires_at,
        } = key;
        let (server_key, api_key) = self.draw()?;
        let create = KeyCreate {
            id: api_key.id(),
            mac: server_key.mac(&api_key),
            server_key: server_key.mark(),
            tenant: tenant.unwrap_or_else(|| caller.tenant_named()),
            project,
            name,
            scopes,
            class_max: class_max.unwrap_or_else(|| self.classes.most_urgent()),
            expires_at,
            created_by: caller.principal(),
        };
        let made = self
            .key_command(Ask::KeyCreate(Box::new(create)), false)
            .await?;
        tracing::info!(key = %made.id, by = caller.key_id().map(tracing::field::display), tenant = made.tenant.name(), scopes = %made.scopes, "a key was made");
        Ok(self.made(api_key, made))
    }

    /// A page of keys of every tenant. A live read of what is durable.
    ///
    /// # Errors
    /// If the cursor is none.
    pub fn key_list(
        &self,
        tenant: Option<&str>,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<ListedKeys, Trouble> {
        let keys = self.keys();
        let newest_first = |key: &KeyRecord| (Reverse(key.created_at), key.id);
        let after = match cursor {
            None => None,
            Some(cursor) => Some(key_of(&keys, cursor).ok_or(Trouble::Cursor)?),
        };
        let mut rows: Vec<_> = keys
            .iter()
            .filter(|key| tenant.is_none_or(|tenant| key.tenant.name() == tenant))
            .filter(|key| after.is_none_or(|after| newest_first(key) > newest_first(after)))
            .collect();
        rows.sort_by_key(|key| newest_first(key));
        let limit = limit.unwrap_or(PAGE_DEFAULT) as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(ListedKeys {
            next: rows.last().filter(|_| more).map(|key| key.id.to_string()),
            keys: rows.into_iter().map(|key| self.shown_key(key)).collect(),
        })
    }

    /// Ends a key. Repeating it is always safe.
    ///
    /// # Errors
    /// If it is refused, or the outcome is not known.
    pub async fn key_revoke(&self, caller: &Caller, key: KeyId) -> Result<ShownKey, Trouble> {
        let ended = self.key_command(Ask::KeyRevoke { key }, true).await?;
        tracing::info!(key = %ended.id, by = caller.key_id().map(tracing::field::display), "a key was revoked");
        Ok(self.shown_key(&ended))
    }

    /// Puts a new key in the place of another.
    ///
    /// # Errors
    /// If it is refused, or the outcome is not known.
    pub async fn key_rotate(
        &self,
        caller: &Caller,
        key: KeyId,
        grace_ms: u64,
        expires_at: Option<WallMs>,
    ) -> Result<MadeKey, Trouble> {
        let (server_key, api_key) = self.draw()?;
        let rotate = KeyRotate {
            key,
            successor: api_key.id(),
            mac: server_key.mac(&api_key),
            server_key: server_key.mark(),
            grace_ms,
            expires_at,
            created_by: caller.principal(),
        };
        let made = self
            .key_command(Ask::KeyRotate(Box::new(rotate)), false)
            .await?;
        tracing::info!(%key, successor = %made.id, by = caller.key_id().map(tracing::field::display), grace_ms, "a key was replaced");
        Ok(self.made(api_key, made))
    }

    /// A fresh key, and what its code is made under.
    fn draw(&self) -> Result<(&ServerKey, ApiKey), Trouble> {
        let server_key = self.gate.server_key().filter(|_| !self.keys().is_empty());
        let server_key = server_key.ok_or(Trouble::KeysOff)?;
        let api_key = ApiKey::draw().map_err(|error| Trouble::NoChance(error.to_string()))?;
        Ok((server_key, api_key))
    }

    async fn key_command(&self, ask: Ask, keyed: bool) -> Result<Arc<KeyRecord>, Trouble> {
        match self.settled(ask, keyed).await? {
            Reply::KeyCreated(key) | Reply::KeyRevoked(key) => Ok(key),
            other => Err(super::commands::unexpected(other)),
        }
    }

    fn made(&self, api_key: ApiKey, record: Arc<KeyRecord>) -> MadeKey {
        MadeKey {
            api_key,
            shown: self.shown_key(&record),
        }
    }

    fn shown_key(&self, record: &Arc<KeyRecord>) -> ShownKey {
        ShownKey {
            record: Arc::clone(record),
            now: self.gate.now().wall,
        }
    }
}

/// The key that a cursor stands for.
fn key_of<'a>(keys: &'a Keys, cursor: &str) -> Option<&'a Arc<KeyRecord>> {
    let key = KeyId(u64::from_str_radix(cursor, 16).ok()?);
    keys.get(key).filter(|key| key.id.to_string() == cursor)
}
