//! What the cases share: an engine with an adapter, and what a generation comes to.

use std::sync::Arc;

use worker_adapter::{Adapter, AdapterError, Generation, GenerationEvent, Prompt};

use crate::dialect::{Dialect, Limits, Recording};
use crate::outcome::{collect, generation, within};
use crate::scripted::{Reply, ScriptedServer};

/// More tokens than any recording has.
pub(super) const MANY: u32 = 1 << 20;

pub(super) fn raw() -> Generation {
    generation(Prompt::Raw("Write a poem.".to_owned()), MANY)
}

/// A server that answers each generating call with `reply`, and an adapter for it.
pub(super) async fn engine(
    dialect: &Arc<impl Dialect>,
    limits: Limits,
    reply: Reply,
) -> (ScriptedServer, Arc<dyn Adapter>) {
    let answering = Arc::clone(dialect);
    let server = ScriptedServer::start(move |request| {
        answering
            .preliminary(request)
            .unwrap_or_else(|| reply.clone())
    })
    .await;
    let adapter = dialect.adapter(server.url(), limits);
    (server, adapter)
}

/// What a generation comes to if the engine answers it with `reply`.
pub(super) async fn outcome(
    dialect: &Arc<impl Dialect>,
    reply: Reply,
) -> (Vec<GenerationEvent>, Result<(), AdapterError>) {
    let (_server, adapter) = engine(dialect, Limits::AMPLE, reply).await;
    within("a generation", async {
        match adapter.generate(raw()).await {
            Ok(stream) => collect(stream).await,
            Err(error) => (Vec::new(), Err(error)),
        }
    })
    .await
}

pub(super) fn first_recording(dialect: &impl Dialect) -> Recording {
    let recording = dialect.recordings().swap_remove(0);
    assert!(
        recording.tokens().count() >= 3,
        "the first has three tokens"
    );
    recording
}

/// A token of a recording, as a stream gives it.
pub(super) fn token(
    recording: &Recording,
    index: usize,
) -> Option<Result<GenerationEvent, AdapterError>> {
    recording.tokens().nth(index).cloned().map(Ok)
}

/// Where the body of the first recording has told its first token, but not yet its second.
pub(super) async fn first_token_ends(dialect: &Arc<impl Dialect>, recording: &Recording) -> usize {
    let ends = token_ends(dialect, recording, 1).await;
    ends[0]
}

/// Lengths of the body after which one, two, … tokens have come out, found by trying.
pub(super) async fn token_ends(
    dialect: &Arc<impl Dialect>,
    recording: &Recording,
    tokens: usize,
) -> Vec<usize> {
    let mut ends = Vec::new();
    for wanted in 1..=tokens {
        // Less is known to be too short, and more long enough: the whole body has all tokens.
        let (mut short, mut enough) = (ends.last().copied().unwrap_or(0), recording.body.len());
        while enough - short > 1 {
            let length = short.midpoint(enough);
            if tokens_in(dialect, recording, length).await < wanted {
                short = length;
            } else {
                enough = length;
            }
        }
        ends.push(enough);
    }
    ends
}

/// How many tokens come out of so many bytes of the body.
async fn tokens_in(dialect: &Arc<impl Dialect>, recording: &Recording, length: usize) -> usize {
    let reply = recording.reply().chunk(&recording.body[..length]).end();
    let (events, _) = outcome(dialect, reply).await;
    let is_token = |event: &&GenerationEvent| matches!(event, GenerationEvent::Token(_));
    events.iter().filter(is_token).count()
}
