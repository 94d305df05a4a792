//! Sampling profile v1: the value of everything that a request may leave out and that says what an
//! engine does. A change of any value is a
//! new profile with a new name, because the name is part of a replica set's key.

use crate::task::{Determinism, OnDisconnect, Sampling};

/// A table of defaults, with its version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Defaults {
    /// Its name: `sampler_profile_version` of every replica driven with it.
    pub version: &'static str,
    /// Sampling values.
    pub sampling: Sampling,
    /// Most tokens to generate.
    pub max_tokens: u32,
    /// Generate past the model's own end.
    pub ignore_eos: bool,
    /// Repeatability.
    pub determinism: Determinism,
    /// What the last reader's leaving means.
    pub on_disconnect: OnDisconnect,
}

/// The one profile there is.
pub const PROFILE_V1: Defaults = Defaults {
    version: "v1",
    sampling: Sampling {
        temperature: 0.8,
        top_k: 40,
        top_p: 0.95,
        min_p: 0.05,
        repeat_penalty: 1.0,
    },
    max_tokens: 256,
    ignore_eos: false,
    determinism: Determinism::BestEffort,
    on_disconnect: OnDisconnect::Continue,
};
