//! Counters since the process started.

use std::time::Duration;

/// What `/metrics` counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) prompt_tokens: u64,
    pub(crate) prompt_time: Duration,
    pub(crate) predicted_tokens: u64,
    pub(crate) predict_time: Duration,
    /// Calls of the model that predicted a token.
    pub(crate) decodes: u64,
    /// The most tokens that prompt and reply of one request had together.
    pub(crate) longest: u64,
}
