//! The runner against an adapter whose generation the test drives.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use futures_util::stream;
use worker_adapter::{
    AdapterFuture, EngineFacts, Finish, GenerationStream, Health, Prompt, Sampling,
};

use super::*;

/// Gives what it was told to, then waits for ever.
struct Scripted(Vec<Result<GenerationEvent, AdapterError>>);

impl Adapter for Scripted {
    fn health(&self) -> AdapterFuture<'_, Health> {
        Box::pin(async { Ok(Health::Ready) })
    }

    fn facts(&self) -> AdapterFuture<'_, EngineFacts> {
        Box::pin(async { Err(AdapterError::Refused("has none".to_owned())) })
    }

    fn generate(&self, _: Generation) -> AdapterFuture<'_, GenerationStream> {
        let script = self.0.clone();
        Box::pin(async move {
            Ok(Box::pin(stream::iter(script).chain(stream::pending())) as GenerationStream)
        })
    }
}

fn order(script: Vec<Result<GenerationEvent, AdapterError>>) -> EngineOrder {
    let sampling = Sampling {
        temperature: 0.0,
        top_k: 0,
        top_p: 1.0,
        min_p: 0.0,
        repeat_penalty: 1.0,
    };
    let generation = Generation {
        prompt: Prompt::Raw("x".to_owned()),
        max_tokens: 8,
        ignore_eos: false,
        sampling,
        seed: 1,
        cache_reuse: false,
    };
    EngineOrder {
        adapter: Arc::new(Scripted(script)),
        generation,
        wall_timeout: Duration::from_secs(60),
    }
}

fn token(text: &str) -> Result<GenerationEvent, AdapterError> {
    Ok(GenerationEvent::Token(text.to_owned()))
}

const KEY: AttemptKey = AttemptKey(7);

#[tokio::test]
async fn a_second_reader_attaches_where_it_asks() {
    let runner = EngineRunner::default();
    let end = GenerationEvent::End {
        finish: Finish::Stop,
        tokens_in: 1,
        tokens_out: 2,
    };
    let prompt = GenerationEvent::Prompt { tokens: 1 };
    let script = vec![Ok(prompt), token("a"), token("b"), Ok(end)];
    let first: Vec<_> = runner
        .start_or_attach(KEY, order(script), 0)
        .await
        .unwrap()
        .collect()
        .await;
    assert_eq!(first.len(), 4);
    assert_eq!(first[0], (1, RunnerEvent::Prompt { tokens: 1 }));
    runner.ack(KEY, 1);
    let second: Vec<_> = runner
        .start_or_attach(KEY, order(vec![]), 1)
        .await
        .unwrap()
        .collect()
        .await;
    assert_eq!(second, first[1..]);
    let gone = runner.start_or_attach(KEY, order(vec![]), 0).await.err();
    assert_eq!(gone, Some(RunnerError::Gone { first: 1 }));
    runner.ack(KEY, 4);
    assert!(runner.list().is_empty());
}

#[tokio::test]
async fn a_stream_without_an_end_is_a_reset() {
    struct Short;
    impl Adapter for Short {
        fn health(&self) -> AdapterFuture<'_, Health> {
            Box::pin(async { Ok(Health::Ready) })
        }
        fn facts(&self) -> AdapterFuture<'_, EngineFacts> {
            Box::pin(async { Err(AdapterError::Refused("has none".to_owned())) })
        }
        fn generate(&self, _: Generation) -> AdapterFuture<'_, GenerationStream> {
            Box::pin(async { Ok(Box::pin(stream::iter([token("a")])) as GenerationStream) })
        }
    }
    let runner = EngineRunner::default();
    let order = EngineOrder {
        adapter: Arc::new(Short),
        ..order(vec![])
    };
    let events: Vec<_> = runner
        .start_or_attach(KEY, order, 0)
        .await
        .unwrap()
        .collect()
        .await;
    assert!(matches!(
        events.last(),
        Some((2, RunnerEvent::Failed(AdapterError::Reset(_))))
    ));
}

#[tokio::test]
async fn cancel_ends_the_events_without_another_token() {
    let runner = EngineRunner::default();
    let mut events = runner
        .start_or_attach(KEY, order(vec![token("a")]), 0)
        .await
        .unwrap();
    assert_eq!(
        events.next().await,
        Some((1, RunnerEvent::Token("a".to_owned())))
    );
    runner.cancel(KEY);
    assert_eq!(events.next().await, None);
    assert!(runner.list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_generation_that_takes_too_long_is_ended() {
    let runner = EngineRunner::default();
    let events: Vec<_> = runner
        .start_or_attach(KEY, order(vec![token("a")]), 0)
        .await
        .unwrap()
        .collect()
        .await;
    assert!(matches!(
        events.last(),
        Some((
            2,
            RunnerEvent::Failed(AdapterError::TimedOut {
                phase: "in all",
                ..
            })
        ))
    ));
}

/// How an engine ends that sends tokens of so many bytes each, and how many of them are kept.
async fn end_of(lengths: impl Iterator<Item = usize>) -> (usize, String) {
    let runner = EngineRunner::default();
    let script = lengths.map(|bytes| token(&"x".repeat(bytes))).collect();
    let events: Vec<_> = runner
        .start_or_attach(KEY, order(script), 0)
        .await
        .unwrap()
        .take_while(|(_, event)| std::future::ready(matches!(event, RunnerEvent::Token(_))))
        .collect()
        .await;
    let (kept, at) = (events.len(), events.len() as u64);
    drop(events);
    let last = runner
        .start_or_attach(KEY, order(vec![]), at)
        .await
        .unwrap();
    match last.collect::<Vec<_>>().await.as_slice() {
        [(_, RunnerEvent::Failed(error))] => (kept, error.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_no_token_and_no_text_can_be_ends_the_attempt() {
    let (kept, why) = end_of([5, TOKEN_BYTES_MAX, TOKEN_BYTES_MAX + 1].into_iter()).await;
    assert_eq!(kept, 2);
    assert!(why.contains("a token of 65537 bytes"), "{why}");
    let (kept, why) = end_of(std::iter::repeat_n(TOKEN_BYTES_MAX, 1_025)).await;
    assert_eq!(kept, TEXT_BYTES_MAX / TOKEN_BYTES_MAX);
    assert!(why.contains("a text of more than 67108864 bytes"), "{why}");
}
