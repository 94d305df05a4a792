//! A real engine that runs for one case.

use std::sync::Arc;
use std::time::Duration;

use worker_adapter::{Adapter, Health};

use crate::dialect::{Dialect, Limits};
use crate::outcome::within;

/// Between two looks at an engine that loads its model.
const PAUSE: Duration = Duration::from_millis(5);

/// A real engine that runs for one case, and ends when it is dropped.
pub trait LiveEngine {
    /// Where it listens.
    fn url(&self) -> &str;

    /// Whether no generation runs in it, as it says itself.
    fn is_idle(&self) -> impl Future<Output = bool>;

    /// Ends it at once, as a crash would, and returns when it is gone.
    fn kill(&mut self);
}

/// What a case needs of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it is.
    Full,
    /// A generation without a limit goes on for minutes at least.
    Endless,
}

/// An adapter for an engine that takes work: it may listen while it still loads its model.
///
/// # Panics
/// If it cannot be reached, or still loads after a minute.
pub async fn adapter(dialect: &impl Dialect, engine: &impl LiveEngine) -> Arc<dyn Adapter> {
    let adapter = dialect.adapter(engine.url(), Limits::AMPLE);
    within("the engine to be ready", async {
        while adapter.health().await.unwrap() == Health::Loading {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
    adapter
}
