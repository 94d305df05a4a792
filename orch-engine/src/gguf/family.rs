//! The families of models that are run, and in what they differ.

/// A family: one architecture name in GGUF files, one way to compute.
///
/// All three are the same decoder (RMS norms, grouped-query attention with rotary positions, gated
/// feed-forward); the methods below are the whole difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Llama,
    Qwen2,
    Qwen3,
}

impl Family {
    pub(crate) const ALL: [Self; 3] = [Self::Llama, Self::Qwen2, Self::Qwen3];

    /// The family of a file with this `general.architecture`.
    pub(crate) fn of(architecture: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|family| family.architecture() == architecture)
    }

    /// Its name in `general.architecture`, which is also the prefix of its metadata keys.
    pub(crate) fn architecture(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
        }
    }

    /// Whether the projections to queries, keys and values add a bias.
    pub(crate) fn has_attention_bias(self) -> bool {
        self == Self::Qwen2
    }

    /// Whether queries and keys are normalised, head by head, before they are rotated.
    pub(crate) fn normalises_heads(self) -> bool {
        self == Self::Qwen3
    }

    /// Whether the rotary embedding turns neighbouring values of a head (0 with 1, 2 with 3) instead
    /// of those half a head apart.
    pub(crate) fn rotates_neighbours(self) -> bool {
        self == Self::Llama
    }
}
