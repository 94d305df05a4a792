//! Classes: what their names may be, and what the operator decides about each.

use std::fmt;

use crate::queue::front::FullPolicy;

/// Most bytes of a class's name.
const NAME_MAX: usize = 23;

/// Name of a class, as configuration, wire and store have it: `^[a-z][a-z0-9-]*$`, at most 23 bytes. Small enough to
/// be copied, because every task holds one. Sorted as text; which class is the more urgent, only a configuration
/// tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassName {
    /// Filled up with zeros, which no name contains.
    bytes: [u8; NAME_MAX],
}

impl ClassName {
    /// The class of tasks that someone waits for, where no other classes are configured.
    pub const INTERACTIVE: Self = Self::literal("interactive");

    /// The class of tasks for which throughput counts, where no other classes are configured.
    pub const BATCH: Self = Self::literal("batch");

    /// The class of that name; `None` if no class may be named so.
    #[must_use]
    pub const fn named(name: &str) -> Option<Self> {
        let text = name.as_bytes();
        if text.is_empty() || text.len() > NAME_MAX || !text[0].is_ascii_lowercase() {
            return None;
        }
        let mut bytes = [0; NAME_MAX];
        let mut at = 0;
        while at < text.len() {
            if !matches!(text[at], b'a'..=b'z' | b'0'..=b'9' | b'-') {
                return None;
            }
            bytes[at] = text[at];
            at += 1;
        }
        Some(Self { bytes })
    }

    const fn literal(name: &str) -> Self {
        Self::named(name).expect("it is written here as classes are named")
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|byte| *byte == 0);
        let text = &self.bytes[..length.unwrap_or(NAME_MAX)];
        std::str::from_utf8(text).expect("a name is ASCII")
    }
}

impl fmt::Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClassName({self})")
    }
}

/// What the operator decides about one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClassConfig {
    /// Its name.
    pub name: ClassName,
    /// Most tasks that wait and have never run; at least 1 (0 counts as 1).
    pub capacity: u32,
    /// What happens beyond.
    pub full: FullPolicy,
    /// Share of its tenants' tasks in this class beside those in other classes of the same band; at least 1
    /// (0 counts as 1).
    pub weight: u32,
    /// Its band: what is in a lower one goes first, strictly. Only the order of the numbers counts.
    pub band: u32,
}

impl ClassConfig {
    /// The more urgent of the two classes that there are where nobody decides otherwise.
    #[must_use]
    pub const fn interactive() -> Self {
        Self {
            name: ClassName::INTERACTIVE,
            capacity: 1_024,
            full: FullPolicy::Reject,
            weight: 8,
            band: 1,
        }
    }

    /// The less urgent one.
    #[must_use]
    pub const fn batch() -> Self {
        Self {
            name: ClassName::BATCH,
            capacity: 1_024,
            full: FullPolicy::DropLru,
            weight: 1,
            band: 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_it_was_made_of_and_sorts_as_text() {
        let names = ["a", "a-b", "ab", "b", "b2345678901234567890123"];
        let classes = names.map(|name| ClassName::named(name).unwrap());
        assert_eq!(classes.map(|class| class.to_string()), names);
        assert!(classes.is_sorted());
        assert_eq!(ClassName::INTERACTIVE.as_str(), "interactive");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(NAME_MAX + 1);
        for text in ["", "-a", "1a", "A", "a_b", "a b", "é", "a\0", long.as_str()] {
            assert_eq!(ClassName::named(text), None, "{text:?}");
        }
    }

    #[test]
    fn it_is_small() {
        assert_eq!(size_of::<ClassName>(), NAME_MAX);
    }
}
