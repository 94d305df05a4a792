//! An engine that somebody else runs goes away and comes back: what waits for it waits, and nothing fails.

use api_client::types::TaskState;
use test_harness_support::{DaemonOptions, EngineServer};

use crate::raw::text_of;
use crate::world::{World, eventually, exactly};

#[tokio::test]
async fn an_engine_that_goes_and_comes_back_costs_the_queue_nothing() {
    let mut server = EngineServer::orch_engine(0, &["--max-tokens-per-second", "40"]);
    let config = format!(
        "[[pool]]\nid = \"far\"\nengine = \"llamacpp\"\nmodel_ref = \"tiny\"\nurls = [\"{}\"]\n",
        server.url()
    );
    let world = World::ready_with(DaemonOptions::default().config(&config)).await;
    let running = world.create(exactly(60, 9)).await.task_id;
    let waiting = [
        world.create(exactly(60, 9)).await.task_id,
        world.create(exactly(60, 10)).await.task_id,
        world.create(exactly(60, 11)).await.task_id,
    ];
    world.raw.open(&running, None).await.up_to_token(5).await;
    server.kill();
    eventually("the loss is noticed", async || {
        let health = world.client.pool_health("far").await.unwrap();
        (!health.ready).then_some(())
    })
    .await;

    let _back = EngineServer::orch_engine(server.port(), &["--max-tokens-per-second", "2000"]);
    for task in [running].iter().chain(&waiting) {
        world.until_state(task, TaskState::Completed).await;
    }
    // The interrupted text is the one that an uninterrupted task with its seed has.
    let (cut, whole) = (
        world.raw.story(&running).await,
        world.raw.story(&waiting[0]).await,
    );
    assert_eq!(text_of(&cut), text_of(&whole));
}
