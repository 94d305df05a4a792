//! Readers of all sorts: many, slow, gone. Nobody misses a token, and nobody costs the others anything.

use std::time::Duration;

use api_client::support::{Decoder, RawEvent};
use futures_util::future::join_all;
use test_harness_adapter_suite::scripted::Step;
use test_harness_support::{DaemonOptions, descriptors_of, memory_of};

use crate::played::{Played, begin, end, stream, task, token};
use crate::raw::{data, told};
use crate::wire::Wire;
use crate::world::{World, eventually, exactly};

/// Tokens of the fast stream, and bytes of each: more by far than sockets hold.
const TOKENS: usize = 4_000;
const TOKEN_BYTES: usize = 4_000;
/// Readers that read next to nothing of it.
const SLOW: usize = 12;
/// Readers of one stream.
const MANY: usize = 1_000;

/// The text of a token of the fast stream, unlike any other's.
fn long_token(index: usize) -> String {
    format!("{index:0width$}", width = TOKEN_BYTES)
}

/// Everything that a stream sent, as events.
fn events_of(bytes: &[u8]) -> Vec<RawEvent> {
    let mut decoder = Decoder::default();
    decoder.push(bytes).unwrap();
    std::iter::from_fn(|| decoder.next_event()).collect()
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_closed_and_loses_nothing_and_others_wait_for_nobody() {
    let engine = Played::start(|_| {
        let all = (0..TOKENS).map(|index| token(index, &long_token(index)));
        let sent = all.fold(stream().then(Step::Gate), |reply, token| {
            reply.chunk(&token)
        });
        sent.chunk(&end(TOKENS)).end()
    })
    .await;
    let config = format!("[server]\nstall_timeout_ms = 1000\n{}", engine.pool(""));
    let world = World::ready_with(DaemonOptions::default().config(&config)).await;
    let (url, pid) = (world.daemon.url(), world.daemon.pid());
    let id = world.create(task("long", TOKENS as u32)).await.task_id;
    let path = format!("/v1/tasks/{id}/stream");
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut wire = Wire::narrow(url).await;
        wire.send(wire.get(&path)).await.unwrap();
        assert!(wire.stream_head().await.starts_with("HTTP/1.1 200"));
        slow.push(wire);
    }
    let fast = world.raw.open(&id, None).await;
    let open = descriptors_of(pid).unwrap();
    engine.release();
    // While none of the slow ones has read a token, a fast one has read them all.
    let whole = told(&fast.rest().await);
    assert_eq!(whole.len(), TOKENS + 2);
    let held = memory_of(pid).unwrap().anonymous_bytes;
    eventually("those that take nothing are closed", async || {
        (descriptors_of(pid).unwrap() + SLOW as u64 <= open).then_some(())
    })
    .await;
    let left = memory_of(pid).unwrap().anonymous_bytes;
    println!("with {SLOW} slow readers {held} bytes, without {left}");
    let text = (TOKENS * TOKEN_BYTES) as u64;
    assert!(held < 8 * text, "{held} bytes for a text of {text}");

    // Each goes on where it was, with what it has, and then has everything.
    for mut wire in slow.into_iter().take(2) {
        let mut story = told(&events_of(&wire.chunks().await));
        assert!(story.len() < TOKENS, "it was cut off: {}", story.len());
        let place = story.last().and_then(|event| event.id.clone());
        story.extend(world.raw.open(&id, place.as_deref()).await.rest().await);
        assert!(told(&story) == whole, "something is missing or twice");
    }
}

#[tokio::test]
async fn a_thousand_readers_of_one_stream_each_get_every_token() {
    let tokens: Vec<String> = (0..30).map(|index| format!(" t{index}")).collect();
    let spoken = tokens.clone();
    let engine = Played::start(move |_| {
        let first = begin(&[&spoken[0]]).then(Step::Gate);
        let rest = spoken.iter().enumerate().skip(1);
        let all = rest.fold(first, |reply, (index, text)| {
            reply.chunk(&token(index, text))
        });
        all.chunk(&end(spoken.len())).end()
    })
    .await;
    let world = World::ready_with(DaemonOptions::default().config(&engine.pool(""))).await;
    let id = world
        .create(task("many", tokens.len() as u32))
        .await
        .task_id;
    world.raw.open(&id, None).await.up_to_token(0).await;
    let path = format!("/v1/tasks/{id}/stream");
    let open = async |_| {
        let mut wire = Wire::connect(world.daemon.url()).await;
        wire.send(wire.get(&path)).await.unwrap();
        assert!(wire.stream_head().await.starts_with("HTTP/1.1 200"));
        wire
    };
    let readers = join_all((0..MANY).map(open)).await;
    engine.release();
    let read = readers
        .into_iter()
        .map(async |mut wire| wire.chunks().await);
    let stories = join_all(read).await;
    let first = told(&events_of(&stories[0]));
    let names: Vec<&str> = first.iter().map(|event| &*event.name).collect();
    assert_eq!((names[0], names[31], names.len()), ("started", "end", 32));
    for (index, text) in tokens.iter().enumerate() {
        assert_eq!(data(&first[index + 1])["t"], **text);
    }
    assert_eq!(stories.len(), MANY);
    for story in &stories {
        assert!(
            told(&events_of(story)) == first,
            "a reader was told otherwise"
        );
    }
}

#[tokio::test]
async fn a_reader_of_a_quiet_stream_that_leaves_is_noticed_at_once() {
    let world = World::throttled(5.0).await;
    let (url, pid) = (world.daemon.url(), world.daemon.pid());
    let running = world.create(exactly(400, 1)).await.task_id;
    world.raw.open(&running, None).await.up_to("token").await;
    let waits = world.create(exactly(1, 2)).await.task_id;
    let before = descriptors_of(pid).unwrap();
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut wire = Wire::connect(url).await;
        wire.send(wire.get(&format!("/v1/tasks/{waits}/stream")))
            .await
            .unwrap();
        wire.stream_head().await;
        readers.push(wire);
    }
    assert!(descriptors_of(pid).unwrap() >= before + 20);
    drop(readers);
    // A keep-alive, which would tell too, comes after 15 s only.
    let noticed = eventually("they are gone", async || {
        (descriptors_of(pid).unwrap() <= before).then_some(())
    });
    tokio::time::timeout(Duration::from_secs(10), noticed)
        .await
        .unwrap();
}
