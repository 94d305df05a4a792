//! How long an engine may take.

use std::time::Duration;

/// How long an engine may take. There is no default that suits every model, so callers with a configuration
/// set each; [`Timeouts::default`] suits a local engine with a model that answers within two minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To accept a connection.
    pub connect: Duration,
    /// To answer a plain call, such as its health.
    pub reply: Duration,
    /// To bring a model in, where the engine serves several and has one in memory at a time: for whatever
    /// needs the model that was named, besides the time that it takes by itself.
    pub load: Duration,
    /// From the start of a generation to its first token, the chat template included.
    pub first_token: Duration,
    /// From one token to the next, while somebody waits for it. Comments on the stream do not count.
    pub idle: Duration,
    /// For a whole generation.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            reply: Duration::from_secs(5),
            load: Duration::from_secs(120),
            first_token: Duration::from_secs(120),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(1_800),
        }
    }
}
