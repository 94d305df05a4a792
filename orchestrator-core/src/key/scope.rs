//! What a key is allowed to.

use std::fmt;

/// One thing that a key may be allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyScope {
    /// Keep copies of the data.
    Backup,
    /// Act as a machine of the deployment.
    Node,
    /// Run the deployment: keys, pools, metrics.
    Operator,
    /// Hand over work and read what came of it.
    User,
}

impl KeyScope {
    /// Every scope, sorted.
    pub const ALL: [Self; 4] = [Self::Backup, Self::Node, Self::Operator, Self::User];

    /// Its name on the wire, in the store and in what people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Node => "node",
            Self::Operator => "operator",
            Self::User => "user",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope: what a daemon without keys lets anybody on its own machine do.
    pub const ALL: Self = Self(0b1111);

    /// True if nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if exactly this was given.
    #[must_use]
    pub const fn contains(self, scope: KeyScope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// True if it suffices where `scope` is asked for. Whoever runs the deployment may also use it.
    #[must_use]
    pub const fn allows(self, scope: KeyScope) -> bool {
        let includes = matches!(scope, KeyScope::User) && self.contains(KeyScope::Operator);
        includes || self.contains(scope)
    }

    /// What was given, sorted.
    pub fn iter(self) -> impl Iterator<Item = KeyScope> {
        KeyScope::ALL
            .into_iter()
            .filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<KeyScope> for Scopes {
    fn from_iter<I: IntoIterator<Item = KeyScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    /// Writes the names, with commas between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}", scope.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_operator_is_allowed_to_more_than_was_given() {
        for given in KeyScope::ALL {
            let scopes = Scopes::from_iter([given]);
            let allowed: Vec<_> = KeyScope::ALL
                .into_iter()
                .filter(|scope| scopes.allows(*scope))
                .collect();
            match given {
                KeyScope::Operator => assert_eq!(allowed, [KeyScope::Operator, KeyScope::User]),
                _ => assert_eq!(allowed, [given]),
            }
        }
        assert!(KeyScope::ALL.iter().all(|scope| Scopes::ALL.allows(*scope)));
        assert!(Scopes::default().is_empty());
    }

    #[test]
    fn a_set_is_read_sorted_and_once() {
        let scopes = Scopes::from_iter([KeyScope::User, KeyScope::Backup, KeyScope::User]);
        assert_eq!(scopes.to_string(), "backup, user");
    }
}
