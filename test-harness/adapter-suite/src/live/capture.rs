//! Recordings of the engine of today.

use worker_adapter::Generation;

use super::engine::{self, LiveEngine};
use super::tap::{Tap, parts};
use crate::dialect::{Dialect, Limits, Recording};
use crate::outcome::{collect, within};

/// What an engine sends for each generation, as it stood on the wire between it and the adapter.
///
/// # Panics
/// If a generation fails, or what the adapter made of it is not what its bytes say when they are read plainly.
pub async fn capture(
    dialect: &impl Dialect,
    engine: &impl LiveEngine,
    asked: Vec<(&'static str, Generation)>,
) -> Vec<Recording> {
    let mut recordings = Vec::new();
    engine::adapter(dialect, engine).await;
    for (name, generation) in asked {
        let tap = Tap::start(engine.url()).await;
        let adapter = dialect.adapter(tap.url(), Limits::AMPLE);
        let (events, result) = within("a generation", async {
            collect(adapter.generate(generation).await.unwrap()).await
        })
        .await;
        assert_eq!(result, Ok(()), "{name}");
        let (head, body) = parts(&tap.last_reply());
        let recording = dialect.read(name, head, &body);
        assert_eq!(events, recording.events, "{name}");
        recordings.push(recording);
    }
    recordings
}
