//! Deadlines, from outside: refused with the figures, told while waiting, and no run after they have passed.

use api_client::types::TaskState;
use test_harness_support::DaemonOptions;

use crate::raw::data;
use crate::world::{World, exactly, plain, with};

/// One slot that gives ten tokens a second, so that ten tokens take a second.
const SLOW: &str = "
    [[queue.class]]
    name = \"interactive\"
    full_policy = \"shed-low-priority\"
    capacity = 1
    [[queue.class]]
    name = \"batch\"
    capacity = 1
    full_policy = \"drop-lru\"
    [[pool]]
    id = \"slow\"
    max_tokens_per_second = 10.0
";

/// A daemon that has measured what a task takes, with its slot taken.
async fn measured() -> (World, uuid::Uuid) {
    let world = World::ready_with(DaemonOptions::default().config(SLOW)).await;
    let first = world.create(exactly(10, 1)).await.task_id;
    world.until_state(&first, TaskState::Completed).await;
    let running = world.create(exactly(400, 2)).await.task_id;
    world.raw.open(&running, None).await.up_to("token").await;
    (world, running)
}

#[tokio::test]
async fn a_deadline_that_cannot_be_met_is_refused_with_the_figures() {
    let (world, _) = measured().await;
    let refused = world
        .raw
        .create(&with(exactly(10, 3), "deadline_ms", 20))
        .await;
    assert_eq!(refused.status, 503);
    let problem = refused.problem();
    assert_eq!(problem["code"], "DEADLINE_UNMET", "{problem}");
    assert_eq!(problem["retriable"], true, "{problem}");
    assert_eq!(
        problem["limit_name"], "queue.deadline_confidence_permille",
        "{problem}"
    );
    assert_eq!(refused.pointers(), ["/deadline_ms"]);
    let wait_ms = problem["retry_after_ms"].as_u64().unwrap();
    let header = |name| refused.header(name).unwrap().parse::<u64>().unwrap();
    assert_eq!(header("x-backoff-ms"), wait_ms);
    assert_eq!(header("retry-after"), wait_ms.div_ceil(1_000));
    let metrics = world.metrics().await;
    let rejected = metrics.sum_where("tasks_rejected_total", "reason", "DEADLINE_UNMET");
    assert_eq!(rejected, 1.0);
}

#[tokio::test]
async fn who_waits_is_told_how_likely_it_is_and_ends_with_the_deadline() {
    let (world, running) = measured().await;
    // Far more than it takes, and not enough for the one before it to end.
    let waiting = with(exactly(10, 3), "deadline_ms", 8_000);
    let waiting = world.create(waiting).await.task_id;
    let seen = world.task(&waiting).await;
    assert_eq!(seen.deadline_ms, Some(8_000));
    assert!(seen.why.unwrap().on_time_probability.unwrap() > 0.9);
    let story = world.raw.open(&waiting, None).await.up_to("error").await;
    let told = story.iter().find(|event| event.name == "metrics").unwrap();
    assert!(data(told)["on_time_probability"].as_f64().unwrap() > 0.9);
    let problem = data(story.last().unwrap());
    assert_eq!(problem["code"], "DEADLINE_UNMET", "{problem}");
    let ended = world.task(&waiting).await;
    assert_eq!((ended.state, ended.attempts), (TaskState::Failed, 0));
    assert_eq!(world.task(&running).await.state, TaskState::Running);
    world.raw.cancel(&running).await;
}

#[tokio::test]
async fn a_more_urgent_task_takes_the_place_of_one_that_waits() {
    let (world, running) = measured().await;
    let waits = world.create(with(plain(), "priority", "batch")).await;
    let mut reader = world.raw.open(&waits.task_id, None).await;
    world.create(plain()).await;
    world.create(plain()).await;
    let problem = data(reader.up_to("error").await.last().unwrap());
    assert_eq!(problem["code"], "QUEUE_FULL_SHED", "{problem}");
    assert_eq!(problem["status"], 429, "{problem}");
    assert_eq!(problem["policy_label"], "shed-low-priority", "{problem}");
    assert_eq!(problem["limit_name"], "queue.batch.capacity", "{problem}");
    let refused = world.raw.create(&plain()).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.problem()["policy_label"], "shed-low-priority");
    world.raw.cancel(&running).await;
}
