//! When a task will start, from outside: with a band once enough is measured, and without one before.

use api_client::types::{TaskCreated, TaskState};

use crate::raw::data;
use crate::world::{World, exactly};

fn band(created: &TaskCreated) -> Option<(u64, u64)> {
    created
        .predicted_start_low_ms
        .zip(created.predicted_start_high_ms)
}

#[tokio::test]
async fn who_waits_is_told_between_when_and_when_it_starts() {
    let world = World::throttled(50.0).await;
    let first = world.create(exactly(30, 1)).await;
    assert_eq!(
        band(&first),
        Some((0, 0)),
        "a slot is free, which is certain"
    );
    let unmeasured = world.create(exactly(5, 2)).await;
    assert_eq!(band(&unmeasured), None, "nothing is measured yet");
    world
        .until_state(&unmeasured.task_id, TaskState::Completed)
        .await;
    for seed in 3..5 {
        let task = world.create(exactly(10, seed)).await.task_id;
        world.until_state(&task, TaskState::Completed).await;
    }

    let running = world.create(exactly(400, 5)).await.task_id;
    world.raw.open(&running, None).await.up_to("token").await;
    let waiting = world.create(exactly(5, 6)).await;
    let (low, high) = band(&waiting).expect("four attempts were measured");
    assert!(low <= waiting.predicted_start_ms && waiting.predicted_start_ms <= high);
    assert!(low < high, "not all attempts were equally long");

    let mut reader = world.raw.open(&waiting.task_id, None).await;
    let place = data(&reader.next().await.unwrap());
    let told = |key: &str| place[key].as_u64().unwrap();
    assert!(
        told("predicted_start_low_ms") <= told("predicted_start_ms"),
        "{place}"
    );
    assert!(
        told("predicted_start_high_ms") >= told("predicted_start_ms"),
        "{place}"
    );
    let why = world.task(&waiting.task_id).await.why.unwrap();
    assert!(why.predicted_start_low_ms.is_some() && why.predicted_start_high_ms.is_some());

    world.raw.cancel(&running).await;
    world
        .until_state(&waiting.task_id, TaskState::Completed)
        .await;
    let metrics = world.metrics().await;
    assert_eq!(
        metrics.sum("start_predictions_total"),
        1.0,
        "the one with a band"
    );
}
