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
    /// Who did it. [`PrincipalId::SYSTEM`] until callers have identities.
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
    /// The reserved system user.
    pub const SYSTEM: Self = Self(0);
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
