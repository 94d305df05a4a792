//! The proof on a clock that stands still, against engines that misbehave.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream;
use tokio::time::timeout;
use worker_adapter::{AdapterFuture, Finish, GenerationStream};

use super::*;
use crate::spec::AdapterFactory;

const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// An engine that misbehaves the first few times.
struct Engine {
    loads: AtomicUsize,
    busy: AtomicUsize,
    generation: Vec<Result<GenerationEvent, AdapterError>>,
    tells_digest: bool,
}

fn token() -> Result<GenerationEvent, AdapterError> {
    Ok(GenerationEvent::Token("a".to_owned()))
}

fn end(tokens_out: u64) -> Result<GenerationEvent, AdapterError> {
    Ok(GenerationEvent::End {
        finish: Finish::Length,
        tokens_in: 1,
        tokens_out,
    })
}

fn good() -> Engine {
    Engine {
        loads: AtomicUsize::new(0),
        busy: AtomicUsize::new(0),
        generation: vec![
            Ok(GenerationEvent::Prompt { tokens: 1 }),
            token(),
            token(),
            end(2),
        ],
        tells_digest: true,
    }
}

/// Counts down; true until zero is reached.
fn still(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}

impl Adapter for Engine {
    fn health(&self) -> AdapterFuture<'_, Health> {
        Box::pin(async {
            Ok(if still(&self.loads) {
                Health::Loading
            } else {
                Health::Ready
            })
        })
    }

    fn facts(&self) -> AdapterFuture<'_, EngineFacts> {
        Box::pin(async {
            Ok(EngineFacts {
                engine_version: "1".to_owned(),
                model_digest: self.tells_digest.then(|| "sha256:00".to_owned()),
                model_path: None,
                ctx: 64,
                slots: 1,
            })
        })
    }

    fn generate(&self, _: Generation) -> AdapterFuture<'_, GenerationStream> {
        Box::pin(async {
            if still(&self.busy) {
                return Err(AdapterError::Busy("no slot".to_owned()));
            }
            Ok(Box::pin(stream::iter(self.generation.clone())) as GenerationStream)
        })
    }
}

/// `ready`, what is wrong for good, or what it still waits for when the time is over.
async fn outcome(engine: Engine) -> String {
    let (sender, url) = oneshot::channel();
    sender.send("http://engine".to_owned()).unwrap();
    let engine = Arc::new(engine);
    let factory: AdapterFactory = Arc::new(move |_| Ok(Arc::clone(&engine) as Arc<dyn Adapter>));
    let progress = Progress::new();
    let replicas = vec![ReplicaSpec::new("r0", factory)];
    let proof = prove(url, replicas, Digests::default(), progress.clone());
    match timeout(READY_TIMEOUT, proof).await {
        Ok(Ok(proven)) => format!("ready at {}", proven[0].url),
        Ok(Err(fault)) => format!("never: {fault}"),
        Err(_) => format!("waits: {}", progress.clause()),
    }
}

#[tokio::test(start_paused = true)]
async fn what_heals_is_waited_for() {
    let mut engine = good();
    engine.loads = AtomicUsize::new(100);
    engine.busy = AtomicUsize::new(10);
    assert_eq!(outcome(engine).await, "ready at http://engine");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_heal_is_told() {
    let faults: [fn(&mut Engine); 7] = [
        |engine| engine.loads = AtomicUsize::new(usize::MAX),
        |engine| engine.busy = AtomicUsize::new(usize::MAX),
        |engine| engine.generation = vec![end(0)],
        |engine| engine.generation = vec![token(), end(2)],
        |engine| engine.generation = vec![token()],
        |engine| engine.generation = vec![token(), Err(AdapterError::Refused("no".to_owned()))],
        |engine| engine.tells_digest = false,
    ];
    let mut table = Vec::new();
    for fault in faults {
        let mut engine = good();
        fault(&mut engine);
        table.push(outcome(engine).await);
    }
    insta::assert_snapshot!(table.join("\n"), @r#"
    waits: the engine is busy: it loads its model
    waits: the engine is busy: no slot
    waits: the engine does not speak its protocol: it counts 0 tokens and sent 0
    waits: the engine does not speak its protocol: it counts 2 tokens and sent 1
    waits: the engine does not speak its protocol: no end of a generation
    never: the engine refused the request: no
    never: it tells neither the digest nor the path of its model, so equal replicas cannot be recognised
    "#);
}

#[tokio::test(start_paused = true)]
async fn without_a_url_there_is_no_verdict() {
    let (sender, url) = oneshot::channel();
    drop(sender);
    let factory: AdapterFactory = Arc::new(|_| unreachable!("there is no URL"));
    let progress = Progress::new();
    let replicas = vec![ReplicaSpec::new("r0", factory)];
    let proof = prove(url, replicas, Digests::default(), progress.clone());
    assert!(timeout(READY_TIMEOUT, proof).await.is_err());
    assert_eq!(
        progress.clause(),
        "it has not printed `listening on http://HOST:PORT` on standard output"
    );
}
