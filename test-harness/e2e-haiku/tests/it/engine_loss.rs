//! An engine that is killed costs time and nothing else.

use api_client::types::TaskState;
use serde_json::Value;
use test_harness_support::{Signal, memory_of, signal};

use crate::raw::{data, told};
use crate::world::{World, eventually, exactly, plain};

/// The one engine of a daemon.
fn engine_of(world: &World) -> u32 {
    let pids = world.daemon.engine_pids();
    assert_eq!(pids.len(), 1, "{pids:?}");
    pids[0]
}

#[tokio::test]
async fn killed_in_mid_stream_the_text_goes_on_under_a_new_attempt() {
    let world = World::throttled(60.0).await;
    let body = exactly(60, 77);
    let whole = world.create(body.clone()).await.task_id;
    let whole = told(&world.raw.story(&whole).await);

    let task = world.create(body).await.task_id;
    let mut reader = world.raw.open(&task, None).await;
    let mut story = reader.up_to_token(25).await;
    signal(engine_of(&world), Signal::Kill).unwrap();
    story.extend(reader.rest().await);
    let attempts: Vec<Value> = story
        .iter()
        .filter(|event| event.name == "metrics")
        .map(|event| data(event)["attempt"].clone())
        .filter(|attempt| *attempt != 0)
        .collect();
    assert_eq!(attempts, [2], "{story:#?}");

    let tokens_and_start = |story: &[_]| {
        let mut story = told(story);
        let end = story.pop().unwrap();
        (story, end.id.clone(), data(&end)["tokens_out"].clone())
    };
    assert_eq!(tokens_and_start(&story), tokens_and_start(&whole));
    let ended = world.task(&task).await;
    assert_eq!((ended.state, ended.attempts), (TaskState::Completed, 2));
    let health = world.client.pool_health("default").await.unwrap();
    assert_eq!(health.replicas[0].restarts, 1);
    let metrics = world.metrics().await;
    assert_eq!(metrics.sum("replica_restarts_total"), 1.0);
    // Both tasks are counted once.
    assert_eq!(metrics.sum("tokens_out_total"), 120.0);
}

#[tokio::test]
async fn killed_while_idle_it_is_back_before_anybody_asks() {
    let world = World::ready().await;
    let first = engine_of(&world);
    signal(first, Signal::Kill).unwrap();
    eventually("another engine is ready", async || {
        let health = world.client.pool_health("default").await.unwrap();
        (health.ready && health.replicas[0].restarts == 1).then_some(())
    })
    .await;
    assert_ne!(engine_of(&world), first);
    let task = world.create(plain()).await.task_id;
    assert_eq!(world.raw.story(&task).await.last().unwrap().name, "end");
    assert_eq!(world.task(&task).await.attempts, 1);
}

#[tokio::test]
async fn engines_end_with_their_daemon_however_it_ends() {
    let mut world = World::ready().await;
    let engine = engine_of(&world);
    world.daemon.kill();
    eventually("the engine has ended", async || {
        memory_of(engine).is_err().then_some(())
    })
    .await;
}
