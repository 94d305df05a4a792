//! Who is let in.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use orchestrator_core::id::KeyId;
use orchestrator_core::key::{
    KeyMac, KeyRecord, KeyScope, KeyStanding, Keys, PeerKey, Scopes, Tries, TriesLimits,
};
use orchestrator_core::time::{Now, WallMs};

use super::server_key::ServerKey;
use super::token::ApiKey;
use crate::app::Caller;
use crate::owner::{Clock, SystemClock};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To be known.
    Known,
    /// To be allowed to this.
    To(KeyScope),
}

/// Why somebody was not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turned {
    /// There is no key in the request.
    NoKey,
    /// The header is there, and holds no key by its form.
    Malformed,
    /// The key is none of ours. An id that there is and one that there is not are told alike.
    Unknown,
    /// It was a key until then.
    Expired {
        /// Which.
        key: KeyId,
        /// When it expired.
        at: WallMs,
    },
    /// Someone has ended it.
    Revoked {
        /// Which.
        key: KeyId,
        /// The key that took its place.
        replaced_by: Option<KeyId>,
    },
    /// It is not allowed to this.
    Scope {
        /// Which.
        key: KeyId,
        /// What is asked for.
        needed: KeyScope,
        /// What it is allowed to.
        has: Scopes,
    },
    /// Too many tries from the same address have failed.
    Throttled {
        /// When the next is answered as what it is.
        retry_after_ms: u64,
    },
}

/// Lets callers in, by what the owner has published last: no store is read and nobody is waited for.
pub struct Gate {
    server_key: Option<ServerKey>,
    clock: SystemClock,
    tries: Mutex<Tries>,
}

impl Gate {
    /// A gate that checks keys under the daemon's own, if it has one.
    #[must_use]
    pub fn new(server_key: Option<ServerKey>) -> Self {
        Self {
            server_key,
            clock: SystemClock::default(),
            tries: Mutex::new(Tries::new(TriesLimits::default())),
        }
    }

    /// The daemon's own key.
    #[must_use]
    pub const fn server_key(&self) -> Option<&ServerKey> {
        self.server_key.as_ref()
    }

    /// Both clocks, as the gate reads them.
    #[must_use]
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Who calls, if they are let in. `header` is the value of `Authorization`. While there never was a key, nobody
    /// is asked for one; such a daemon listens on loopback only.
    ///
    /// # Errors
    /// Why they are not. A key that failed counts as a try of its address, as long as that may have one.
    pub fn admit(
        &self,
        keys: &Keys,
        header: Option<&[u8]>,
        access: Access,
        peer: IpAddr,
    ) -> Result<Caller, Turned> {
        self.admit_at(self.now(), keys, header, access, peer)
    }

    fn admit_at(
        &self,
        now: Now,
        keys: &Keys,
        header: Option<&[u8]>,
        access: Access,
        peer: IpAddr,
    ) -> Result<Caller, Turned> {
        if keys.is_empty() {
            return Ok(Caller::default());
        }
        let header = header.ok_or(Turned::NoKey)?;
        let caller = self
            .known(now.wall, keys, header)
            .map_err(|turned| self.counted(now, peer, turned))?;
        match access {
            Access::To(needed) if !caller.scopes().allows(needed) => Err(Turned::Scope {
                key: caller.key_id().unwrap_or(KeyId(0)),
                needed,
                has: caller.scopes(),
            }),
            _ => Ok(caller),
        }
    }

    fn known(&self, now: WallMs, keys: &Keys, header: &[u8]) -> Result<Caller, Turned> {
        let text = std::str::from_utf8(header).ok().and_then(bearer);
        let key = text.and_then(ApiKey::parse).ok_or(Turned::Malformed)?;
        let record = keys.get(key.id());
        // A code is made and compared for an id that there is not too, so that time does not tell which there are.
        let mac = record.map_or(KeyMac([0; 32]), |record| record.mac);
        let server_key = self.server_key.as_ref().ok_or(Turned::Unknown)?;
        let right = server_key.verifies(&key, &mac);
        let record = record.filter(|_| right).ok_or(Turned::Unknown)?;
        match Turned::of_ended(record, now) {
            None => Ok(Caller::of(record)),
            Some(turned) => Err(turned),
        }
    }

    /// Counts a try that has failed. One beyond the limit is not told what was wrong with it, and not logged.
    fn counted(&self, now: Now, peer: IpAddr, turned: Turned) -> Turned {
        let counted = self
            .tries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failed(now.mono, peer_key(peer));
        match counted {
            Ok(()) => {
                let key = match &turned {
                    Turned::Expired { key, .. } | Turned::Revoked { key, .. } => Some(*key),
                    _ => None,
                };
                let why = turned.name();
                tracing::warn!(%peer, key = key.map(tracing::field::display), why, "a key was refused");
                turned
            }
            Err(retry_after_ms) => Turned::Throttled { retry_after_ms },
        }
    }
}

impl Turned {
    /// Why the holder of a key is not let in any more; `None` while it is in force.
    #[must_use]
    pub fn of_ended(record: &KeyRecord, now: WallMs) -> Option<Self> {
        match record.standing(now) {
            KeyStanding::Active => None,
            KeyStanding::Expired => Some(Self::Expired {
                key: record.id,
                at: record.expires_at.unwrap_or_default(),
            }),
            KeyStanding::Revoked => Some(Self::Revoked {
                key: record.id,
                replaced_by: record.replaced_by,
            }),
        }
    }

    /// In a word, for the log.
    const fn name(&self) -> &'static str {
        match self {
            Self::NoKey => "none",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Expired { .. } => "expired",
            Self::Revoked { .. } => "revoked",
            Self::Scope { .. } => "scope",
            Self::Throttled { .. } => "throttled",
        }
    }
}

/// What follows `Bearer`, whose case does not count.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, text) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| text.trim_matches(' '))
}

/// Addresses that one caller can change at will count as one: of IPv6 the first half.
fn peer_key(peer: IpAddr) -> PeerKey {
    match peer.to_canonical() {
        IpAddr::V4(four) => PeerKey(u128::from(u32::from(four))),
        IpAddr::V6(six) => PeerKey(u128::from(six) >> 64 << 64),
    }
}

#[cfg(test)]
mod tests;
