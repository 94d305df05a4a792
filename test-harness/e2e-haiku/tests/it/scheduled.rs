//! Tasks for later, from outside.

use std::time::{SystemTime, UNIX_EPOCH};

use api_client::types::{TaskState, WaitingFor};
use serde_json::json;

use crate::world::{World, plain, with};

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn it_runs_at_its_time_and_not_before_over_a_restart() {
    let mut world = World::ready().await;
    let at = now_ms() + 3_000;
    let created = world.create(with(plain(), "run_at_ms", at)).await;
    assert_eq!(created.state, TaskState::Waiting);
    assert!(
        (1..=3_000).contains(&created.predicted_start_ms),
        "{created:?}"
    );
    world.daemon.kill();
    world.restart().await;
    let id = created.task_id;
    let waiting = world.task(&id).await;
    assert_eq!(waiting.run_at_ms, Some(at));
    if waiting.state == TaskState::Waiting {
        let why = waiting.why.unwrap();
        assert_eq!(why.waiting_for, Some(WaitingFor::Time));
        assert!(why.wakes_in_ms.unwrap() <= 3_000);
    }
    world.raw.story(&id).await;
    let task = world.task(&id).await;
    assert_eq!(task.state, TaskState::Completed);
    assert!(task.started_at_ms.unwrap() >= at, "{task:?}");
}

#[tokio::test]
async fn it_is_cancelled_before_and_then_never_runs() {
    let world = World::ready().await;
    let far = now_ms() + 3_600_000;
    let id = world.create(with(plain(), "run_at_ms", far)).await.task_id;
    let cancelled = world.raw.cancel(&id).await;
    assert_eq!(cancelled.json()["state"], "cancelled");
    assert_eq!(world.task(&id).await.started_at_ms, None);
    // One whose time is past runs at once.
    let id = world.create(with(plain(), "run_at_ms", 1)).await.task_id;
    world.raw.story(&id).await;
}

#[tokio::test]
async fn a_deadline_before_it_and_one_too_many_are_refused_with_their_places() {
    let options =
        test_harness_support::DaemonOptions::default().config("[queue]\nscheduled_max = 1\n");
    let world = World::ready_with(options).await;
    let far = with(plain(), "run_at_ms", now_ms() + 3_600_000);
    let answer = world
        .raw
        .create(&with(far.clone(), "deadline_ms", 60_000))
        .await;
    let problem = answer.json();
    assert_eq!(
        (answer.status, &problem["code"]),
        (400, &json!("INVALID_PARAMS"))
    );
    assert_eq!(problem["errors"][0]["pointer"], "/deadline_ms");
    assert_eq!(world.raw.create(&far).await.status, 202);
    let answer = world.raw.create(&far).await;
    let problem = answer.json();
    assert_eq!(
        (answer.status, &problem["code"]),
        (429, &json!("ADMISSION_REJECT"))
    );
    assert_eq!(problem["limit_name"], "queue.scheduled_max");
    assert!(answer.header("retry-after").is_some());
}
