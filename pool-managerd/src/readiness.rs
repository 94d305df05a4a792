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
use crate::spec::ReplicaSpec;

/// First pause between two tries; it doubles up to [`MOST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MOST_PAUSE: Duration = Duration::from_millis(500);

/// Tokens that the proof decodes.
const PROOF_TOKENS: u32 = 4;

/// A replica that takes work.
pub(crate) struct Proven {
    pub(crate) replica: String,
    pub(crate) url: String,
    pub(crate) facts: EngineFacts,
    pub(crate) adapter: Arc<dyn Adapter>,
}

/// What the proof waits for at the moment, for whoever gives it up.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    clause: Arc<Mutex<String>>,
    /// Which replica is meant, where several are proven.
    of: String,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let waits = "it has not printed `listening on http://HOST:PORT` on standard output";
        Self {
            clause: Arc::new(Mutex::new(waits.to_owned())),
            of: String::new(),
        }
    }

    /// The same, said of one replica.
    fn of(&self, replica: &str) -> Self {
        Self {
            clause: Arc::clone(&self.clause),
            of: format!("replica {replica}: "),
        }
    }

    /// A clause with the replica that it is about.
    fn naming(&self, clause: &str) -> String {
        format!("{}{clause}", self.of)
    }

    /// What it waits for, as a clause.
    pub(crate) fn clause(&self) -> String {
        let clause = self.clause.lock().unwrap_or_else(PoisonError::into_inner);
        clause.clone()
    }

    fn set(&self, clause: &str) {
        let told = self.naming(clause);
        *self.clause.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

/// Proves an engine once it has told its URL: each replica that lives in it, one after another, because each
/// may need another model in its memory. None is ready before all are: whoever uses the first would lose its
/// model to the proof of the second. Whatever may heal is tried again, without end: the caller sets the time.
///
/// # Errors
/// What another try would not heal, as a clause.
pub(crate) async fn prove(
    url: oneshot::Receiver<String>,
    replicas: Vec<ReplicaSpec>,
    digests: Digests,
    progress: Progress,
) -> Result<Vec<Proven>, String> {
    let Ok(url) = url.await else {
        // Its output is not read any more, so it has ended, which the caller sees.
        return std::future::pending().await;
    };
    let several = replicas.len() > 1;
    let mut proven = Vec::new();
    for replica in &replicas {
        let progress = if several {
            progress.of(&replica.name)
        } else {
            progress.clone()
        };
        let outcome = prove_one(&url, replica, &digests, &progress).await;
        proven.push(outcome.map_err(|fault| progress.naming(&fault))?);
    }
    Ok(proven)
}

async fn prove_one(
    url: &str,
    replica: &ReplicaSpec,
    digests: &Digests,
    progress: &Progress,
) -> Result<Proven, String> {
    let adapter =
        (replica.adapters)(url).map_err(|error| format!("it listens on {url}, but {error}"))?;
    let engine = &*adapter;
    progress.set("it has not answered its health check");
    until_healed(progress, || healthy(engine)).await?;
    progress.set("it has not told its facts");
    let mut facts = until_healed(progress, || engine.facts()).await?;
    progress.set("it has not decoded its first tokens");
    until_healed(progress, || decode(engine)).await?;
    if facts.model_digest.is_none() {
        progress.set("the digest of its model file is computed");
        facts.model_digest = Some(digest_of(facts.model_path.as_deref(), digests).await?);
    }
    Ok(Proven {
        replica: replica.name.clone(),
        url: url.to_owned(),
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
            Err(error) if error.retryable() => progress.set(&error.to_string()),
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
