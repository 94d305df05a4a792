//! Tasks that somebody ends: by asking, or by leaving.

use api_client::types::TaskState;
use serde_json::json;
use test_harness_support::DaemonOptions;

use crate::raw::{data, text_of, tokens_of, told};
use crate::world::{World, eventually, exactly, throttle, with};

#[tokio::test]
async fn a_cancel_tells_the_final_position_and_nothing_comes_after_it() {
    let world = World::throttled(40.0).await;
    let task = world.create(exactly(400, 1)).await.task_id;
    let next = world.create(exactly(2, 2)).await.task_id;
    let mut reader = world.raw.open(&task, None).await;
    let mut story = reader.up_to_token(6).await;
    let answer = world.raw.cancel(&task).await;
    assert_eq!(answer.status, 200);
    let cancelled = answer.json();
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
    let position = cancelled["stream_position"].as_u64().unwrap();
    assert!(position >= 7, "{cancelled}");

    story.extend(reader.rest().await);
    let story = told(&story);
    let end = story.last().unwrap();
    assert_eq!(end.name, "end");
    assert_eq!(data(end)["finish_reason"], "cancelled");
    assert_eq!(data(end)["tokens_out"], position);
    // The engine had read the prompt before it gave a token.
    assert!(data(end)["tokens_in"].as_u64().unwrap() > 0, "{end:?}");
    assert_eq!(tokens_of(&story).len() as u64, position);
    // What was kept is what was told.
    assert_eq!(world.raw.story(&task).await, story);
    assert_eq!(
        world.raw.get(&format!("/v1/tasks/{task}")).await.json(),
        cancelled
    );
    // The slot is free for the one that waited.
    world.until_state(&next, TaskState::Completed).await;
}

#[tokio::test]
async fn a_cancelled_task_that_waited_never_ran() {
    let world = World::throttled(20.0).await;
    let running = world.create(exactly(200, 1)).await.task_id;
    world.raw.open(&running, None).await.up_to("token").await;
    let waiting = world.create(exactly(5, 2)).await.task_id;
    let mut reader = world.raw.open(&waiting, None).await;
    assert_eq!(reader.next().await.unwrap().name, "metrics");
    let cancelled = world.raw.cancel(&waiting).await.json();
    assert_eq!(cancelled["stream_position"], 0);
    assert_eq!(cancelled["attempts"], 0);
    let story = told(&reader.rest().await);
    assert_eq!(story.len(), 1, "{story:#?}");
    let end = data(&story[0]);
    assert_eq!(end["finish_reason"], "cancelled");
    assert_eq!(
        (&end["tokens_in"], &end["tokens_out"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(world.task(&running).await.state, TaskState::Running);
}

#[tokio::test]
async fn many_cancels_at_once_get_one_answer() {
    let world = World::throttled(40.0).await;
    let task = world.create(exactly(400, 1)).await.task_id;
    world.raw.open(&task, None).await.up_to_token(1).await;
    let asking = || world.raw.cancel(&task);
    let (a, b, c) = tokio::join!(asking(), asking(), asking());
    assert_eq!(a.json()["state"], "cancelled");
    assert_eq!((b.status, b.json()), (200, a.json()));
    assert_eq!((c.status, c.json()), (200, a.json()));
}

#[tokio::test]
async fn a_task_may_end_with_its_last_reader_and_only_with_the_last() {
    let options = throttle(20.0).env("ORCH_POOL_REPLICAS", 3);
    let world = World::ready_with(options).await;
    let until_left = |seed| with(exactly(450, seed), "on_disconnect", "cancel");
    let left = world.create(until_left(1)).await.task_id;
    let returned = world.create(until_left(2)).await.task_id;
    let indifferent = world.create(exactly(450, 3)).await.task_id;
    for task in [&left, &indifferent] {
        world.raw.open(task, None).await.up_to_token(1).await;
    }
    // Two readers, of which one leaves; then the other one too, and somebody comes back.
    let mut stays = world.raw.open(&returned, None).await;
    world.raw.open(&returned, None).await.up_to_token(1).await;
    let seen = stays.up_to_token(2).await;
    let id = seen.last().unwrap().id.clone();
    drop(stays);
    let mut back = world.raw.open(&returned, id.as_deref()).await;

    let cancelled = world.until_state(&left, TaskState::Cancelled).await;
    let story = world.raw.story(&left).await;
    assert_eq!(data(story.last().unwrap())["finish_reason"], "cancelled");
    assert_eq!(tokens_of(&story).len() as u64, cancelled.stream_position);
    assert!(!text_of(&story).is_empty());
    // Both of the others outlived the same time.
    back.up_to("token").await;
    for task in [&returned, &indifferent] {
        assert_eq!(world.task(task).await.state, TaskState::Running);
    }
    eventually("the one end is counted", async || {
        let counted = world.metrics().await.sum("tasks_canceled_total");
        (counted == 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_task_waits_while_its_pool_starts() {
    // Nobody waits for readiness here: tasks are accepted before it.
    let world = World::with(DaemonOptions::default());
    let task = world.create(exactly(2, 1)).await.task_id;
    assert_eq!(world.raw.story(&task).await.last().unwrap().name, "end");
}
