//! The proof that an engine is ready: it is healthy, tells its facts, and decodes a few tokens for real.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::oneshot;
use worker_adapter::{
    Adapter, AdapterError, EngineFacts, Generation, GenerationEvent, Health, Prompt, Sampling,
};

use crate::digest::Digests;
use crate::spec::AdapterFactory;

/// First pause between two tries; it doubles up to [`MOST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MOST_PAUSE: Duration = Duration::from_millis(500);

/// Tokens that the proof decodes.
const PROOF_TOKENS: u32 = 4;

/// An engine that takes work.
pub(crate) struct Proven {
    pub(crate) url: String,
    pub(crate) facts: EngineFacts,
    pub(crate) adapter: Arc<dyn Adapter>,
}

/// What the proof waits for at the moment, for whoever gives it up.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Mutex<String>>);

impl Progress {
    pub(crate) fn new() -> Self {
        let waits = "it has not printed `listening on http://HOST:PORT` on standard output";
        Self(Arc::new(Mutex::new(waits.to_owned())))
    }

    /// What it waits for, as a clause.
    pub(crate) fn clause(&self) -> String {
        let progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        progress.clone()
    }

    fn set(&self, clause: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = clause;
    }
}

/// Proves an engine once it has told its URL. Whatever may heal is tried again, without end: the caller
/// sets the time.
///
/// # Errors
/// What another try would not heal, as a clause.
pub(crate) async fn prove(
    url: oneshot::Receiver<String>,
    factory: AdapterFactory,
    digests: Digests,
    progress: Progress,
) -> Result<Proven, String> {
    let Ok(url) = url.await else {
        // Its output is not read any more, so it has ended, which the caller sees.
        return std::future::pending().await;
    };
    let adapter = factory(&url).map_err(|error| format!("it listens on {url}, but {error}"))?;
    let engine = &*adapter;
    progress.set("it has not answered its health check".to_owned());
    until_healed(&progress, || healthy(engine)).await?;
    progress.set("it has not told its facts".to_owned());
    let mut facts = until_healed(&progress, || engine.facts()).await?;
    progress.set("it has not decoded its first tokens".to_owned());
    until_healed(&progress, || decode(engine)).await?;
    if facts.model_digest.is_none() {
        progress.set("the digest of its model file is computed".to_owned());
        facts.model_digest = Some(digest_of(facts.model_path.as_deref(), &digests).await?);
    }
    Ok(Proven {
        url,
        facts,
        adapter,
    })
}

/// Tries until it works or fails for good.
async fn until_healed<T, F: Future<Output = Result<T, AdapterError>>>(
    progress: &Progress,
    mut attempt: impl FnMut() -> F,
) -> Result<T, String> {
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) if error.retryable() => progress.set(error.to_string()),
            Err(error) => return Err(error.to_string()),
        }
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(MOST_PAUSE);
    }
}

async fn healthy(adapter: &dyn Adapter) -> Result<(), AdapterError> {
    match adapter.health().await? {
        Health::Ready => Ok(()),
        Health::Loading => Err(AdapterError::Busy("it loads its model".to_owned())),
    }
}

/// Generates a few tokens and counts them.
async fn decode(adapter: &dyn Adapter) -> Result<(), AdapterError> {
    let mut stream = adapter
        .generate(Generation {
            prompt: Prompt::Raw("Hello".to_owned()),
            max_tokens: PROOF_TOKENS,
            ignore_eos: true,
            sampling: Sampling {
                temperature: 0.0,
                top_k: 1,
                top_p: 1.0,
                min_p: 0.0,
                repeat_penalty: 1.0,
            },
            seed: 1,
            cache_reuse: false,
        })
        .await?;
    let mut tokens = 0;
    while let Some(event) = stream.next().await {
        match event? {
            GenerationEvent::Prompt { .. } => {}
            GenerationEvent::Token(_) => tokens += 1,
            GenerationEvent::End { tokens_out, .. } => {
                return if tokens > 0 && tokens == tokens_out {
                    Ok(())
                } else {
                    Err(AdapterError::Protocol(format!(
                        "it counts {tokens_out} tokens and sent {tokens}"
                    )))
                };
            }
        }
    }
    Err(AdapterError::Protocol("no end of a generation".to_owned()))
}

async fn digest_of(model_path: Option<&str>, digests: &Digests) -> Result<String, String> {
    let path = model_path.ok_or(
        "it tells neither the digest nor the path of its model, so equal replicas cannot be recognised",
    )?;
    digests.of(Path::new(path)).await.map_err(|error| {
        format!(
            "its model file {path} cannot be read: {error}; start it with an absolute path that this program may read"
        )
    })
}

#[cfg(test)]
mod tests;
