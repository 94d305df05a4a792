//! All keys there ever were.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::{KeyId, PrincipalId, ProjectId};
use crate::key::{KeyMac, KeyRecord, KeyStanding, Scopes, ServerKeyMark, Tenant};
use crate::queue::ClassName;
use crate::refusal::Refusal;
use crate::time::WallMs;

/// A key to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCreate {
    /// Its id, drawn by whoever asks.
    pub id: KeyId,
    /// What it is checked by.
    pub mac: KeyMac,
    /// Under which of the server's keys that was made.
    pub server_key: ServerKeyMark,
    /// Whose things it sees.
    pub tenant: Tenant,
    /// The one project that it works in, if it is bound to one.
    pub project: Option<ProjectId>,
    /// What it is for.
    pub name: String,
    /// What it is allowed to.
    pub scopes: Scopes,
    /// Highest class that its tasks wait in.
    pub class_max: ClassName,
    /// When it expires.
    pub expires_at: Option<WallMs>,
    /// Who asks.
    pub created_by: PrincipalId,
}

/// A key to put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotate {
    /// The one that ends.
    pub key: KeyId,
    /// Id of the one that begins.
    pub successor: KeyId,
    /// What that is checked by.
    pub mac: KeyMac,
    /// Under which of the server's keys that was made.
    pub server_key: ServerKeyMark,
    /// Milliseconds for which both are let in; 0 ends the old one at once.
    pub grace_ms: u64,
    /// When the new one expires; if none, it lives as long as the old one was made to.
    pub expires_at: Option<WallMs>,
    /// Who asks.
    pub created_by: PrincipalId,
}

/// All keys there ever were. Cloning is cheap: readers hold what was when they looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    by_id: Arc<BTreeMap<KeyId, Arc<KeyRecord>>>,
}

impl Keys {
    /// True if there never was one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// A key, whether or not it has ended.
    #[must_use]
    pub fn get(&self, key: KeyId) -> Option<&Arc<KeyRecord>> {
        self.by_id.get(&key)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<KeyRecord>> {
        self.by_id.values()
    }

    /// Makes a key.
    ///
    /// # Errors
    /// The refusal; nothing is changed then.
    pub fn create(&mut self, now: WallMs, create: KeyCreate) -> Result<Arc<KeyRecord>, Refusal> {
        let KeyCreate {
            id,
            mac,
            server_key,
            tenant,
            project,
            name,
            scopes,
            class_max,
            expires_at,
            created_by,
        } = create;
        self.check_new(now, id, expires_at)?;
        Ok(self.put(KeyRecord {
            id,
            mac,
            server_key,
            tenant,
            project,
            name,
            scopes,
            class_max,
            created_at: now,
            created_by,
            expires_at,
            revoked_at: None,
            replaced_by: None,
        }))
    }

    /// Ends a key. The record, and whether that changed anything: one that was ended before stays as it was.
    ///
    /// # Errors
    /// The refusal; nothing is changed then.
    pub fn revoke(&mut self, now: WallMs, key: KeyId) -> Result<(Arc<KeyRecord>, bool), Refusal> {
        let record = self.known(key)?;
        if record.revoked_at.is_some() {
            return Ok((record, false));
        }
        let others = || {
            self.iter()
                .any(|other| other.id != key && other.manages(now))
        };
        if record.manages(now) && !others() {
            return Err(Refusal::KeyLast { key });
        }
        let ended = KeyRecord {
            revoked_at: Some(now),
            ..KeyRecord::clone(&record)
        };
        Ok((self.put(ended), true))
    }

    /// Puts a new key in the place of one that is let in. The old one, as it is from now on, and the new one.
    ///
    /// # Errors
    /// The refusal; nothing is changed then.
    pub fn rotate(
        &mut self,
        now: WallMs,
        rotate: KeyRotate,
    ) -> Result<(Arc<KeyRecord>, Arc<KeyRecord>), Refusal> {
        let KeyRotate {
            key,
            successor,
            mac,
            server_key,
            grace_ms,
            expires_at,
            created_by,
        } = rotate;
        let old = self.known(key)?;
        if old.standing(now) != KeyStanding::Active || old.replaced_by.is_some() {
            return Err(Refusal::KeyEnded { key });
        }
        self.check_new(now, successor, expires_at)?;
        let life = old.expires_at.map(|at| now + (at - old.created_at));
        let new = self.put(KeyRecord {
            id: successor,
            mac,
            server_key,
            created_at: now,
            created_by,
            expires_at: expires_at.or(life),
            ..KeyRecord::clone(&old)
        });
        let end = now + grace_ms;
        let old = self.put(KeyRecord {
            expires_at: match grace_ms {
                0 => old.expires_at,
                _ => Some(old.expires_at.map_or(end, |at| at.min(end))),
            },
            revoked_at: (grace_ms == 0).then_some(now),
            replaced_by: Some(successor),
            ..KeyRecord::clone(&old)
        });
        Ok((old, new))
    }

    fn known(&self, key: KeyId) -> Result<Arc<KeyRecord>, Refusal> {
        let found = self.by_id.get(&key).cloned();
        found.ok_or(Refusal::KeyUnknown { key })
    }

    fn check_new(
        &self,
        now: WallMs,
        key: KeyId,
        expires_at: Option<WallMs>,
    ) -> Result<(), Refusal> {
        if self.by_id.contains_key(&key) {
            return Err(Refusal::KeyTaken { key });
        }
        match expires_at {
            Some(at) if at <= now => Err(Refusal::KeyExpiryPast { at, now }),
            _ => Ok(()),
        }
    }

    fn put(&mut self, record: KeyRecord) -> Arc<KeyRecord> {
        let record = Arc::new(record);
        Arc::make_mut(&mut self.by_id).insert(record.id, Arc::clone(&record));
        record
    }
}

impl FromIterator<KeyRecord> for Keys {
    fn from_iter<I: IntoIterator<Item = KeyRecord>>(records: I) -> Self {
        let by_id = records
            .into_iter()
            .map(|record| (record.id, Arc::new(record)))
            .collect();
        Self {
            by_id: Arc::new(by_id),
        }
    }
}
