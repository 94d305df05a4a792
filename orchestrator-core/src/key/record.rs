//! What is remembered of a key.

use std::fmt;

use crate::id::{KeyId, PrincipalId, ProjectId};
use crate::key::{KeyScope, Scopes, Tenant};
use crate::queue::ClassName;
use crate::time::WallMs;

/// The code that a key is checked by. Nothing about the key follows from it without the server's own key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyMac(pub [u8; 32]);

impl fmt::Debug for KeyMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMac(..)")
    }
}

/// Tells under which of the server's keys a [`KeyMac`] was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKeyMark(pub [u8; 8]);

impl fmt::Debug for ServerKeyMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKeyMark(..)")
    }
}

/// Whether a key is let in, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// It is.
    Active,
    /// Its time is over.
    Expired,
    /// Someone has ended it.
    Revoked,
}

/// What is remembered of a key. A key that has ended is kept, since rows name it as their creator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id, which is a part of it that everybody may see.
    pub id: KeyId,
    /// What it is checked by.
    pub mac: KeyMac,
    /// Under which of the server's keys that was made.
    pub server_key: ServerKeyMark,
    /// Whose things it sees.
    pub tenant: Tenant,
    /// The one project that it works in; none if it may work in all of its tenant.
    pub project: Option<ProjectId>,
    /// What it is for, for people.
    pub name: String,
    /// What it is allowed to.
    pub scopes: Scopes,
    /// Highest class that its tasks wait in.
    pub class_max: ClassName,
    /// When it was made.
    pub created_at: WallMs,
    /// Who made it.
    pub created_by: PrincipalId,
    /// From when on it is not let in any more.
    pub expires_at: Option<WallMs>,
    /// When it was ended.
    pub revoked_at: Option<WallMs>,
    /// The key that took its place.
    pub replaced_by: Option<KeyId>,
}

impl KeyRecord {
    /// Whether it is let in now, by the wall clock.
    #[must_use]
    pub fn standing(&self, now: WallMs) -> KeyStanding {
        if self.revoked_at.is_some() {
            KeyStanding::Revoked
        } else if self.expires_at.is_some_and(|at| at <= now) {
            KeyStanding::Expired
        } else {
            KeyStanding::Active
        }
    }

    /// True if it is let in now and may make and end others.
    #[must_use]
    pub fn manages(&self, now: WallMs) -> bool {
        self.standing(now) == KeyStanding::Active && self.scopes.allows(KeyScope::Operator)
    }
}
