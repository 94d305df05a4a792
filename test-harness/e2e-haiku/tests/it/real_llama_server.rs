//! The whole way with a real `llama-server`, which somebody else runs: stream, crash of the daemon, crash of the
//! server, cancel. The tests are skipped where there is none: `cargo xtask engines llamacpp` brings it.

use api_client::types::TaskState;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_harness_e2e_haiku::haiku::Theme;
use test_harness_support::{DaemonOptions, EngineServer, haiku_tiny};

use crate::durability::lasting;
use crate::raw::{data, text_of};
use crate::world::{World, eventually, exactly, with};

/// Tokens of a text that is to be interrupted. The server makes some two thousand a second.
const TOKENS: u32 = 1_200;
const SEED: u32 = 4_711;

/// How often a kill is tried: the server cannot be slowed down, so that on a machine with other things to do a text
/// may have ended before the kill comes.
const TRIES: u32 = 8;

/// A server that goes on for ever, because it forgets the oldest tokens, and a daemon that has it as its pool.
async fn attached() -> Option<(EngineServer, World)> {
    let server = EngineServer::llama_server(0, &["--context-shift"])?;
    let world = World::ready_with(pool_at(&server)).await;
    Some((server, world))
}

fn pool_at(server: &EngineServer) -> DaemonOptions {
    DaemonOptions::default().config(&format!(
        "[[pool]]\nid = \"far\"\nengine = \"llamacpp\"\nmodel_ref = \"haiku-tiny\"\nurls = [\"{}\"]\n",
        server.url()
    ))
}

/// A text that is longer than the server takes to notice anything, equal to the last bit for equal seeds.
fn long(seed: u32) -> Value {
    with(exactly(TOKENS, seed), "determinism", "strict")
}

async fn asked(server: &EngineServer, path: &str) -> Value {
    let answer = reqwest::get(format!("{}{path}", server.url()))
        .await
        .unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// Whether its one slot is at work.
async fn works(server: &EngineServer) -> bool {
    asked(server, "/slots").await[0]["is_processing"] == true
}

#[tokio::test]
async fn real_llama_server_writes_the_poem_and_says_who_it_is() {
    let Some((server, world)) = attached().await else {
        return;
    };
    let theme = Theme::of_this_minute();
    let body = json!({ "input": { "kind": "prompt", "prompt": theme.prompt() } });
    let task = world.create(body).await.task_id;
    let story = world.raw.story(&task).await;
    let text = text_of(&story);
    assert!(theme.examine(&text).accepted(), "{theme:?}:\n{text}");

    let started = data(&story[0]);
    let props = asked(&server, "/props").await;
    let model = Sha256::digest(std::fs::read(haiku_tiny()).unwrap());
    let digest: String = model.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(started["engine"], "llamacpp", "{started}");
    assert_eq!(started["engine_version"], props["build_info"], "{started}");
    // The server does not tell it; the daemon reads the file that the server names.
    assert_eq!(
        started["model_digest"],
        format!("sha256:{digest}"),
        "{started}"
    );
}

#[tokio::test]
async fn real_llama_server_and_a_daemon_that_is_killed_go_on_byte_for_byte() {
    let Some((server, mut world)) = attached().await else {
        return;
    };
    let task = world.create(long(SEED)).await.task_id;
    let whole = lasting(&world.raw.story(&task).await);
    assert_eq!(whole.len(), TOKENS as usize + 2);
    for index in [0, 64, 300] {
        let mut kills_in_time = 0;
        for _ in 0..TRIES {
            let task = world.create(long(SEED)).await.task_id;
            let mut reader = world.raw.open(&task, None).await;
            let mut story = reader.up_to_token(index).await;
            world.daemon.kill();
            story.extend(reader.rest().await);
            // The server notices that nobody listens any more, and the slot is free for the next daemon.
            eventually("the slot is free", async || {
                (!works(&server).await).then_some(())
            })
            .await;
            world.restart().await;
            let last = story.iter().rev().find_map(|event| event.id.clone());
            if story.last().is_none_or(|event| event.name != "end") {
                story.extend(world.raw.open(&task, last.as_deref()).await.rest().await);
            }
            assert_eq!(lasting(&story), whole, "killed after token {index}");
            kills_in_time += world
                .until_state(&task, TaskState::Completed)
                .await
                .attempts
                - 1;
            if kills_in_time > 0 {
                break;
            }
        }
        assert_eq!(kills_in_time, 1, "after token {index}");
    }
}

#[tokio::test]
async fn real_llama_server_killed_under_load_costs_time_and_nothing_else() {
    let Some((mut server, world)) = attached().await else {
        return;
    };
    let mut interrupted = 0;
    for _ in 0..TRIES {
        let mut tasks = Vec::new();
        for _ in 0..3 {
            tasks.push(world.create(long(SEED)).await.task_id);
        }
        let mut reader = world.raw.open(&tasks[0], None).await;
        let mut story = reader.up_to_token(100).await;
        let port = server.port();
        server.kill();
        eventually("the loss is noticed", async || {
            let health = world.client.pool_health("far").await.unwrap();
            (!health.ready).then_some(())
        })
        .await;
        server =
            EngineServer::llama_server(port, &["--context-shift"]).expect("it was there before");
        story.extend(reader.rest().await);
        // Each task has the text that every task with its seed has, also the one that was interrupted.
        let text = text_of(&story);
        for task in &tasks {
            let ended = world.until_state(task, TaskState::Completed).await;
            assert_eq!(text_of(&world.raw.story(task).await), text);
            interrupted += ended.attempts - 1;
        }
        if interrupted > 0 {
            break;
        }
    }
    // The one that ran, and perhaps the next one too, sent before the loss was noticed.
    assert!((1..=2).contains(&interrupted), "{interrupted}");
    let counted = world.metrics().await.sum("tokens_out_total");
    assert_eq!(counted % f64::from(TOKENS), 0.0, "{counted}");
}

#[tokio::test]
async fn real_llama_server_is_idle_after_a_cancel_and_takes_the_next() {
    let Some((server, world)) = attached().await else {
        return;
    };
    let endless = world.create(exactly(1_000_000, 1)).await.task_id;
    let next = world.create(exactly(5, 2)).await.task_id;
    let mut reader = world.raw.open(&endless, None).await;
    let mut story = reader.up_to_token(50).await;
    assert!(works(&server).await);
    let cancelled = world.raw.cancel(&endless).await.json();
    let position = cancelled["stream_position"].as_u64().unwrap();
    story.extend(reader.rest().await);
    let end = story.last().unwrap();
    assert_eq!(end.name, "end");
    assert_eq!(data(end)["finish_reason"], "cancelled");
    let tokens = story.iter().filter(|event| event.name == "token").count();
    assert_eq!(tokens as u64, position, "tokens after the acknowledged end");

    world.until_state(&next, TaskState::Completed).await;
    assert!(!works(&server).await);
}
