//! What is asked of an engine that really runs. Each case panics with what it saw.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use worker_adapter::{
    Adapter, AdapterError, EngineFacts, Finish, Generation, GenerationEvent, Health, Prompt,
    Sampling,
};

use super::engine::LiveEngine;
use crate::outcome::{Kind, assert_prompt, collect, generation, next_token, within};

const MOST: u32 = 24;

/// The budget from a cancel to an idle engine.
const IDLE_WITHIN: Duration = Duration::from_millis(100);

fn poem(seed: u32) -> Generation {
    Generation {
        seed,
        ..generation(Prompt::Chat("Write a poem about rain.".to_owned()), MOST)
    }
}

fn endless() -> Generation {
    Generation {
        ignore_eos: true,
        ..generation(Prompt::Raw("Write a poem.".to_owned()), u32::MAX >> 1)
    }
}

async fn run(adapter: &Arc<dyn Adapter>, generation: Generation) -> Vec<GenerationEvent> {
    within("a generation", async {
        let (events, result) = collect(adapter.generate(generation).await.unwrap()).await;
        assert_eq!(result, Ok(()), "after {events:?}");
        events
    })
    .await
}

fn text(events: &[GenerationEvent]) -> String {
    let tokens = events.iter().filter_map(|event| match event {
        GenerationEvent::Token(text) => Some(text.as_str()),
        GenerationEvent::Prompt { .. } | GenerationEvent::End { .. } => None,
    });
    tokens.collect()
}

/// It is ready and tells its facts.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn tells_its_facts(adapter: &Arc<dyn Adapter>) -> EngineFacts {
    within("health and facts", async {
        assert_eq!(adapter.health().await, Ok(Health::Ready));
        let facts = adapter.facts().await.unwrap();
        assert!(facts.ctx > MOST && facts.slots > 0, "{facts:?}");
        facts
    })
    .await
}

/// The tokens add up to the engine's count, the prompt's too if it is told early, for a raw prompt and a chat;
/// `ignore_eos` runs to the limit.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn counts_add_up(adapter: &Arc<dyn Adapter>) {
    let prompts = ["Write a poem.", "Rain on 🌧 roofs: naïve, ÅÄÖ"];
    for prompt in prompts {
        for prompt in [
            Prompt::Raw(prompt.to_owned()),
            Prompt::Chat(prompt.to_owned()),
        ] {
            let mut asked = generation(prompt, MOST);
            asked.ignore_eos = true;
            let events = run(adapter, asked).await;
            assert_prompt("live", &events);
            let is_token = |event: &&GenerationEvent| matches!(event, GenerationEvent::Token(_));
            let tokens = events.iter().filter(is_token).count();
            assert_eq!(tokens, MOST as usize, "{events:?}");
            let Some(GenerationEvent::End {
                finish,
                tokens_in,
                tokens_out,
            }) = events.last()
            else {
                panic!("no end in {events:?}");
            };
            assert_eq!((*finish, *tokens_out), (Finish::Length, u64::from(MOST)));
            assert!(*tokens_in > 0);
            assert!(!text(&events).is_empty());
        }
    }
}

/// Whatever tokens come, half characters among them, they are told one by one and add up. Hot sampling makes the
/// model say anything.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn anything_said_is_told(adapter: &Arc<dyn Adapter>) {
    let hot = Sampling {
        temperature: 100.0,
        top_k: 0,
        top_p: 1.0,
        min_p: 0.0,
        repeat_penalty: 1.0,
    };
    let mut unusual = false;
    for seed in 1..=8 {
        let events = run(
            adapter,
            Generation {
                sampling: hot,
                ignore_eos: true,
                max_tokens: 200,
                ..poem(seed)
            },
        )
        .await;
        let is_token = |event: &&GenerationEvent| matches!(event, GenerationEvent::Token(_));
        let tokens = events.iter().filter(is_token).count();
        assert_eq!(tokens, 200, "{events:?}");
        assert!(matches!(
            events.last(),
            Some(GenerationEvent::End {
                tokens_out: 200,
                ..
            })
        ));
        unusual |= !text(&events).is_ascii();
    }
    assert!(unusual, "the model said nothing but ASCII");
}

/// One generation after the other through one adapter, whatever the engine does with its connections.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn generations_follow_one_another(adapter: &Arc<dyn Adapter>) {
    let once = run(adapter, poem(7)).await;
    for _ in 0..20 {
        assert_eq!(run(adapter, poem(7)).await, once);
    }
}

/// The same seed gives the same tokens, another seed others.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn the_seed_decides(adapter: &Arc<dyn Adapter>) {
    let once = run(adapter, poem(7)).await;
    assert_eq!(run(adapter, poem(7)).await, once);
    let mut others = Vec::new();
    for seed in 8..12 {
        others.push(run(adapter, poem(seed)).await);
    }
    assert!(others.iter().any(|other| *other != once), "{once:?}");
}

/// A prompt beyond the context is told with its numbers, and the engine goes on.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn refuses_what_exceeds_the_context(adapter: &Arc<dyn Adapter>) {
    let ctx = tells_its_facts(adapter).await.ctx;
    let long = "poem ".repeat(4 * ctx as usize);
    let result = within(
        "a refusal",
        adapter.generate(generation(Prompt::Raw(long), MOST)),
    )
    .await;
    match result.err() {
        Some(AdapterError::ContextExceeded { tokens, ctx: told }) => {
            assert!(
                tokens > told && told == u64::from(ctx),
                "{tokens} of {told}"
            );
        }
        other => panic!("not told that the context is exceeded but {other:?}"),
    }
    run(adapter, poem(7)).await;
}

/// A dropped generation frees its slot: more than there are slots are dropped in the middle, then one runs.
/// It proves something only on an engine so slow that it would take minutes to fill its context.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn a_dropped_generation_frees_its_slot(adapter: &Arc<dyn Adapter>) {
    let slots = tells_its_facts(adapter).await.slots;
    for _ in 0..=slots {
        let mut stream = within("a slot", adapter.generate(endless())).await.unwrap();
        let token = within("a token", next_token(&mut stream)).await;
        assert!(
            matches!(token, Some(Ok(GenerationEvent::Token(_)))),
            "{token:?}"
        );
    }
    let mut short = poem(7);
    short.max_tokens = 1;
    run(adapter, short).await;
}

/// Whoever drops a generation has the engine idle within a tenth of a second, the usual one of nine. It needs an
/// endless engine.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn dropped_it_is_idle_at_once(adapter: &Arc<dyn Adapter>, engine: &mut impl LiveEngine) {
    let mut took = Vec::new();
    for _ in 0..9 {
        let mut stream = within("a slot", adapter.generate(endless())).await.unwrap();
        let token = within("a token", next_token(&mut stream)).await;
        assert!(matches!(token, Some(Ok(_))), "{token:?}");
        let dropped = Instant::now();
        drop(stream);
        within("an idle engine", async { while !engine.is_idle().await {} }).await;
        took.push(dropped.elapsed());
    }
    took.sort_unstable();
    // What one of them takes is the machine's affair as much as ours; what most of them take is not.
    assert!(took[took.len() / 2] <= IDLE_WITHIN, "{took:?}");
}

/// An engine that is killed in the middle breaks off: no end is made up, and the tokens before it stand. It
/// needs an endless engine.
///
/// # Panics
/// If the engine or the adapter fails the case.
pub async fn killed_it_breaks_off(adapter: &Arc<dyn Adapter>, engine: &mut impl LiveEngine) {
    let mut stream = within("a slot", adapter.generate(endless())).await.unwrap();
    let token = within("a token", next_token(&mut stream)).await;
    assert!(matches!(token, Some(Ok(_))), "{token:?}");
    engine.kill();
    within("the break", async {
        let mut last = None;
        while let Some(item) = stream.next().await {
            assert!(
                !matches!(item, Ok(GenerationEvent::End { .. })),
                "an end was made up"
            );
            last = Some(item);
        }
        let kind = last.and_then(Result::err).as_ref().map(Kind::from);
        assert_eq!(kind, Some(Kind::Reset));
    })
    .await;
    let gone = within("a refusal", adapter.health()).await;
    assert_eq!(gone.err().as_ref().map(Kind::from), Some(Kind::Unreachable));
}
