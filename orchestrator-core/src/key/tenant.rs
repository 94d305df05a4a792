//! Whose things there are, by name.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::id::TenantId;

/// Most characters of a tenant's name.
pub const TENANT_NAME_CHARS_MAX: usize = 63;

/// A tenant: the name that people give, and the id that follows from it and stands in every row.
///
/// There is no table of tenants: one begins when a key names it. The id of a name never changes, so the way it is
/// derived must not either.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant {
    id: TenantId,
    name: Arc<str>,
}

impl Tenant {
    /// The tenant with a name: small letters, digits, and single dashes between them, 63 characters at most.
    /// `None` if it is no such name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let sound = name.len() <= TENANT_NAME_CHARS_MAX && name.split('-').all(word);
        sound.then(|| Self {
            id: id_of(name),
            name: name.into(),
        })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> TenantId {
        self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Default for Tenant {
    /// The tenant of a daemon without keys, and of its first one.
    fn default() -> Self {
        Self {
            id: TenantId::DEFAULT,
            name: DEFAULT_NAME.into(),
        }
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenant({})", self.name)
    }
}

const DEFAULT_NAME: &str = "default";

fn id_of(name: &str) -> TenantId {
    if name == DEFAULT_NAME {
        return TenantId::DEFAULT;
    }
    let digest = Sha256::new()
        .chain_update("orchestrator tenant ")
        .chain_update(name)
        .finalize();
    let (id, _) = digest.split_at(16);
    TenantId(
        id.iter()
            .fold(0, |so_far, byte| so_far << 8 | u128::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters_digits_and_single_dashes() {
        for name in ["default", "a", "acme", "a-1", "0", "a-b-c"] {
            assert_eq!(
                Tenant::named(name).map(|it| it.name().to_owned()),
                Some(name.to_owned())
            );
        }
        let long = "a".repeat(TENANT_NAME_CHARS_MAX + 1);
        for name in [
            "", "-", "a-", "-a", "a--b", "Acme", "a b", "ä", "a_b", &long,
        ] {
            assert_eq!(Tenant::named(name), None, "{name}");
        }
    }

    /// Rows of every store name tenants by these ids.
    #[test]
    fn the_id_of_a_name_is_what_it_always_was() {
        assert_eq!(Tenant::named("default"), Some(Tenant::default()));
        let id = Tenant::named("acme").map(|tenant| tenant.id().to_string());
        insta::assert_snapshot!(id.unwrap_or_default(), @"bced2730-2e1d-e391-536b-2d085dcc24b6");
    }
}
