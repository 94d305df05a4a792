//! Tasks from the first one on, as far as they are asked about together.

/// The first tasks of a tree, taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefix {
    /// How many they are.
    pub(crate) count: u32,
    /// What they are expected to cost, in tokens.
    pub(crate) cost: u64,
}

impl Prefix {
    /// Both together.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            cost: self.cost + other.cost,
        }
    }

    /// What is left without a part of it.
    pub(crate) fn without(self, part: Self) -> Self {
        Self {
            count: self.count - part.count,
            cost: self.cost - part.cost,
        }
    }
}
