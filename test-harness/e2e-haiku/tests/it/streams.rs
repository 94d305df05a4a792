//! What a stream tells, and to whom.

use std::io::{Read, Write};
use std::net::TcpStream;

use api_client::support::{Decoder, RawEvent};
use api_client::types::TaskState;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_harness_e2e_haiku::watch::{Story, watch};
use test_harness_support::DaemonOptions;
use uuid::Uuid;

use crate::raw::{data, text_of, tokens_of, told};
use crate::world::{World, exactly, plain, throttle, with};

/// Where a reader stands that has so many tokens with this text.
pub(crate) fn id_of(tokens: usize, text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hash: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{tokens}-{hash}")
}

/// An event for a snapshot, without what differs from machine to machine and from model to model.
fn shape(event: &RawEvent) -> String {
    let mut data = data(event);
    for (member, shown) in [
        ("engine_version", "[version]"),
        ("model_digest", "[digest]"),
        ("t", "[text]"),
        ("decode_ms", "[ms]"),
    ] {
        if let Some(value) = data.get_mut(member) {
            *value = json!(shown);
        }
    }
    let id = event.id.as_deref().map_or("none", |id| {
        let (position, _) = id.split_once('-').unwrap();
        position
    });
    format!("{} (id {id}) {data}", event.name)
}

#[tokio::test]
async fn a_stream_has_one_shape() {
    let world = World::ready().await;
    let task = world.create(exactly(3, 42)).await.task_id;
    let story = told(&world.raw.story(&task).await);
    let shapes: Vec<String> = story.iter().map(shape).collect();
    insta::assert_snapshot!(shapes.join("\n"), @r#"
    started (id none) {"attempt":1,"engine":"embedded","engine_version":"[version]","model_digest":"[digest]","queue_position":0,"replica":"default-0","seed":42}
    token (id 1) {"i":0,"t":"[text]"}
    token (id 2) {"i":1,"t":"[text]"}
    token (id 3) {"i":2,"t":"[text]"}
    end (id 3) {"decode_ms":"[ms]","finish_reason":"length","tokens_in":12,"tokens_out":3}
    "#);

    // The same again, from the record of a task that has ended.
    world.until_state(&task, TaskState::Completed).await;
    assert_eq!(world.raw.story(&task).await, story);
}

#[tokio::test]
async fn an_id_is_the_position_and_the_hash_of_the_text_before_it() {
    let world = World::ready().await;
    let task = world.create(exactly(20, 11)).await.task_id;
    let mut text = String::new();
    for (index, event) in tokens_of(&world.raw.story(&task).await).iter().enumerate() {
        let token = data(event);
        assert_eq!(token["i"], index, "{token}");
        text.push_str(token["t"].as_str().unwrap());
        assert_eq!(event.id, Some(id_of(index + 1, &text)));
    }
}

#[tokio::test]
async fn all_readers_are_told_the_same_however_late_and_slow_they_are() {
    let world = World::throttled(60.0).await;
    let task = world.create(exactly(60, 5)).await.task_id;
    // This one asks at once and reads nothing until the task is over.
    let address = world.daemon.url().strip_prefix("http://").unwrap();
    let mut slow = TcpStream::connect(address).unwrap();
    write!(
        slow,
        "GET /v1/tasks/{task}/stream HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut early = world.raw.open(&task, None).await;
    let mut first = early.up_to_token(20).await;
    let late = world.raw.open(&task, None).await;
    first.extend(early.rest().await);
    let first = told(&first);
    assert_eq!(first.len(), 62);
    assert_eq!(told(&late.rest().await), first);

    let mut reply = Vec::new();
    slow.read_to_end(&mut reply).unwrap();
    assert_eq!(told(&events_of(&reply)), first);
}

/// The events of a chunked reply, its head included.
fn events_of(reply: &[u8]) -> Vec<RawEvent> {
    let text = String::from_utf8(reply.to_vec()).unwrap();
    let (head, mut rest) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut decoder = Decoder::default();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        decoder.push(&after.as_bytes()[..size]).unwrap();
        rest = &after[size + 2..];
    }
    std::iter::from_fn(|| decoder.next_event()).collect()
}

#[tokio::test]
async fn a_reader_of_a_waiting_task_is_told_where_it_stands() {
    let world = World::throttled(20.0).await;
    let running = world.create(exactly(400, 1)).await.task_id;
    world.raw.open(&running, None).await.up_to("token").await;
    let ahead = world.create(exactly(1, 2)).await;
    let waiting = world.create(exactly(1, 3)).await;
    assert_eq!((ahead.queue_position, waiting.queue_position), (0, 1));
    assert!(waiting.predicted_start_ms >= ahead.predicted_start_ms);

    let mut reader = world.raw.open(&waiting.task_id, None).await;
    let place = data(&reader.next().await.unwrap());
    assert_eq!(place["queue_position"], 1, "{place}");
    assert_eq!(place["queue_depth"], 2, "{place}");
    assert_eq!(place["attempt"], 0, "{place}");
    assert!(place["predicted_start_ms"].is_u64(), "{place}");
    let task = world.task(&waiting.task_id).await;
    assert_eq!(task.why.unwrap().queue_position, Some(1));

    // When the one before it goes, it hears of it.
    world.raw.cancel(&ahead.task_id).await;
    let place = data(&reader.next().await.unwrap());
    assert_eq!(place["queue_position"], 0, "{place}");
    world.raw.cancel(&running).await;
    let rest = told(&reader.rest().await);
    let names: Vec<&str> = rest.iter().map(|event| &*event.name).collect();
    assert_eq!(names, ["started", "token", "end"]);
    assert_eq!(data(&rest[0])["queue_position"], 1);
}

async fn told_by(world: &World, body: Value) -> Story {
    let task = world.create(body).await.task_id;
    watch(&world.client, &task, |_| {}).await.unwrap()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_text_on_every_replica() {
    let world = World::ready_with(DaemonOptions::default().env("ORCH_POOL_REPLICAS", 2)).await;
    let mut texts = std::collections::BTreeSet::new();
    for seed in [1, 2, 3, 2_147_483_647] {
        let body = with(plain(), "seed", seed);
        let first = told_by(&world, body.clone()).await;
        let again = told_by(&world, body.clone()).await;
        assert_eq!((&again.text, again.tokens), (&first.text, first.tokens));
        let strict = told_by(&world, with(body, "determinism", "strict")).await;
        assert_eq!(strict.text, first.text);
        texts.insert(first.text);
    }
    assert!(texts.len() > 1, "the seed means nothing: {texts:?}");
}

#[tokio::test]
async fn a_seed_that_is_left_out_comes_from_the_task_id() {
    let world = World::ready().await;
    let id = Uuid::from_u128(0x019a_2f3c_7a51_7c40_9a53_1f2e_3d4c_5b6a);
    let digest = Sha256::digest(id.as_bytes());
    let derived = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) & 0x7fff_ffff;
    let created = world.create(with(plain(), "task_id", id.to_string())).await;
    assert_eq!(created.seed, u64::from(derived.max(1)));
    let story = watch(&world.client, &id, |_| {}).await.unwrap();
    assert_eq!(story.started.seed, created.seed);
    let named = told_by(&world, with(plain(), "seed", created.seed)).await;
    assert_eq!(named.text, story.text);
}

#[tokio::test]
async fn a_completion_is_the_bare_text_and_a_prompt_goes_through_the_template() {
    let world = World::ready().await;
    let ask = |kind: &str| {
        json!({
            "input": { "kind": kind, "prompt": "Write a haiku about rain." },
            "max_tokens": 8, "ignore_eos": true, "temperature": 0,
        })
    };
    let completion = told_by(&world, ask("completion")).await;
    let prompt = told_by(&world, ask("prompt")).await;
    // The model's template adds a line end to what the user says.
    assert_eq!(prompt.end.tokens_in, completion.end.tokens_in + 1);
    assert_ne!(prompt.text, completion.text);
    let written_out = told_by(
        &world,
        json!({
            "input": { "kind": "completion", "prompt": "Write a haiku about rain.\n" },
            "max_tokens": 8, "ignore_eos": true, "temperature": 0,
        }),
    )
    .await;
    assert_eq!(written_out.text, prompt.text);
}

#[tokio::test]
async fn a_text_ends_where_the_model_ends_it_or_where_the_request_does() {
    let world = World::ready().await;
    let own = told_by(&world, with(plain(), "seed", 9)).await;
    assert_eq!(own.end.finish_reason.as_str(), "stop");
    assert_eq!((own.end.tokens_out, own.tokens), (own.tokens, own.tokens));
    let cut = told_by(&world, with(with(plain(), "seed", 9), "max_tokens", 5)).await;
    assert_eq!((cut.end.finish_reason.as_str(), cut.tokens), ("length", 5));
    assert!(own.text.starts_with(&cut.text));
    let longer = u32::try_from(own.tokens).unwrap() + 10;
    let on = told_by(&world, exactly(longer, 9)).await;
    assert_eq!(
        (on.end.finish_reason.as_str(), on.tokens),
        ("length", u64::from(longer))
    );
    // The context is a limit too.
    let whole = told_by(&world, exactly(100_000, 9)).await;
    assert_eq!(whole.end.finish_reason.as_str(), "length");
    let context = world.client.capabilities_get().await.unwrap().engines[0].ctx_max;
    let used = whole.end.tokens_in + whole.end.tokens_out;
    assert!(used <= u64::from(context.unwrap()) + 1, "{used}");
}

#[tokio::test]
async fn tasks_are_listed_newest_first_page_by_page() {
    let world = World::ready_with(throttle(200.0)).await;
    let mut made = Vec::new();
    for n in 0..7 {
        let class = if n % 2 == 0 { "interactive" } else { "batch" };
        let body = with(exactly(1, 1), "priority", class);
        made.push(
            world
                .create(with(body, "metadata", json!({ "n": n.to_string() })))
                .await
                .task_id,
        );
    }
    let mut listed = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = world
            .client
            .task_list(cursor.as_deref(), Some(3), None, None, None, None);
        let page = page.await.unwrap().into_body();
        assert!(page.tasks.len() <= 3);
        listed.extend(page.tasks.iter().map(|task| task.task_id));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    made.reverse();
    assert_eq!(listed, made);
    for id in &made {
        world.until_state(id, TaskState::Completed).await;
    }
    let batch = world
        .raw
        .get("/v1/tasks?priority=batch&state=completed")
        .await
        .json();
    assert_eq!(batch["tasks"].as_array().unwrap().len(), 3);
    assert_eq!(batch["tasks"][0]["metadata"], json!({ "n": "5" }));
    assert_eq!(
        world.raw.get("/v1/tasks?state=failed").await.json()["tasks"],
        json!([])
    );
    assert_eq!(
        text_of(&world.raw.story(&made[0]).await),
        text_of(&world.raw.story(&made[1]).await)
    );
}
