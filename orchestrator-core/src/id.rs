//! Names of things. Each kind has a type of its own, so that none is taken for another.

use std::fmt;
use std::sync::Arc;

macro_rules! uuid_like {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            /// Writes the usual hyphenated form of a UUID.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let hex = format!("{:032x}", self.0);
                write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}

uuid_like! {
    /// One try of a task by one runner.
    AttemptId;
    /// A command over many tasks.
    BulkId;
    /// Who did it: the key that asked, or [`PrincipalId::SYSTEM`].
    PrincipalId;
    /// The project that a task belongs to.
    ProjectId;
    /// Affinity and turns of a conversation.
    SessionId;
    /// What a user asked for; one id through every surface.
    TaskId;
    /// Whose it is.
    TenantId;
}

impl PrincipalId {
    /// The reserved system user: the daemon itself, and whoever asks one that has no keys.
    pub const SYSTEM: Self = Self(0);

    /// The key that it stands for; none if that is the system user.
    #[must_use]
    pub fn key(self) -> Option<KeyId> {
        u64::try_from(self.0).ok().filter(|id| *id != 0).map(KeyId)
    }
}

impl From<KeyId> for PrincipalId {
    fn from(key: KeyId) -> Self {
        Self(u128::from(key.0))
    }
}

/// Id of a key: the part of it that everybody may see. Never 0, which stands for the system user.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

impl fmt::Display for KeyId {
    /// Writes 16 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A session of a tenant. Two tenants may use the same id, and have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey {
    /// Its id.
    pub session: SessionId,
    /// Whose it is.
    pub tenant: TenantId,
}

impl SessionKey {
    /// The session with an id among those of a tenant.
    #[must_use]
    pub const fn new(tenant: TenantId, session: SessionId) -> Self {
        Self { session, tenant }
    }
}

impl ProjectId {
    /// The default project of the default tenant.
    pub const DEFAULT: Self = Self(0);
}

impl TenantId {
    /// The default tenant.
    pub const DEFAULT: Self = Self(0);
}

macro_rules! name_like {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the name as it is.
            pub fn new(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

name_like! {
    /// Name of a model, as users give it and pools declare it.
    ModelRef;
    /// Name of a pool, from the configuration.
    PoolName;
    /// Name of an engine process, unique in the deployment.
    ProcessName;
    /// Name of a replica, unique in the deployment.
    ReplicaName;
}

/// SHA-256 of something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    /// Writes `sha256:<hex>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Place of a task in the order of durable acceptance, from 1, without repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AcceptSeq(pub u64);

/// Term of an owner. Rises by one with each take-over; what an older term does is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// Handle to bytes that the machine passes on unseen (a prompt, a chunk of text). The owner mints it
/// with the input that carries the bytes, and resolves it when the mutation that names it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadRef(pub u64);

/// Where a [`crate::reply::Reply`] goes. Minted by the owner, opaque to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyToken(pub u64);
