//! The waiting room has walls: full classes, sessions that have had their turns, pools that gave up.

use api_client::types::{PoolState, TaskState};
use test_harness_support::DaemonOptions;
use uuid::Uuid;

use crate::raw::{data, send};
use crate::world::{World, eventually, exactly, plain, with};

/// One task waits in each class, and engines are slow.
const NARROW: &str = "
    [[queue.class]]
    name = \"interactive\"
    capacity = 1
    full_policy = \"reject\"
    [[queue.class]]
    name = \"batch\"
    capacity = 1
    full_policy = \"drop-lru\"
    [[pool]]
    id = \"slow\"
    max_tokens_per_second = 10.0
";

/// A daemon whose one slot is taken.
async fn busy(config: &str) -> (World, Uuid) {
    let world = World::ready_with(DaemonOptions::default().config(config)).await;
    let running = world.create(exactly(400, 1)).await.task_id;
    world.raw.open(&running, None).await.up_to("started").await;
    (world, running)
}

#[tokio::test]
async fn a_full_class_refuses_with_the_time_to_wait() {
    let (world, running) = busy(NARROW).await;
    let waiting = world.create(plain()).await;
    assert_eq!(
        (waiting.state, waiting.queue_position),
        (TaskState::Queued, 0)
    );

    let known = world.raw.get("/v1/tasks").await.json()["tasks"]
        .as_array()
        .unwrap()
        .len();
    let id = Uuid::new_v4();
    let refused = world
        .raw
        .create(&with(plain(), "task_id", id.to_string()))
        .await;
    assert_eq!(refused.status, 429);
    let problem = refused.problem();
    assert_eq!(problem["code"], "ADMISSION_REJECT", "{problem}");
    assert_eq!(problem["policy_label"], "reject", "{problem}");
    assert_eq!(
        problem["limit_name"], "queue.interactive.capacity",
        "{problem}"
    );
    assert_eq!(problem["retriable"], true, "{problem}");
    assert!(problem["retry_after_ms"].as_u64().unwrap() > 0, "{problem}");

    let tasks = world.raw.get("/v1/tasks").await.json();
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), known);
    assert_eq!(world.raw.get(&format!("/v1/tasks/{id}")).await.status, 404);
    let metrics = world.metrics().await;
    let events = "admission_backpressure_events_total";
    assert_eq!(metrics.sum_where(events, "policy", "reject"), 1.0);

    world.raw.cancel(&waiting.task_id).await;
    let accepted = world
        .raw
        .create(&with(plain(), "task_id", id.to_string()))
        .await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    world.raw.cancel(&running).await;
    world.until_state(&id, TaskState::Completed).await;
}

#[tokio::test]
async fn a_full_class_that_drops_takes_the_newcomer_and_ends_the_oldest() {
    let (world, running) = busy(NARROW).await;
    let oldest = world.create(with(plain(), "priority", "batch")).await;
    let mut reader = world.raw.open(&oldest.task_id, None).await;
    let newcomer = world.create(with(plain(), "priority", "batch")).await;

    let story = reader.up_to("error").await;
    let problem = data(story.last().unwrap());
    assert_eq!(problem["code"], "QUEUE_FULL_DROP_LRU", "{problem}");
    assert_eq!(problem["status"], 429, "{problem}");
    assert_eq!(problem["policy_label"], "drop-lru", "{problem}");
    assert_eq!(problem["limit_name"], "queue.batch.capacity", "{problem}");
    assert_eq!(problem["task_id"], oldest.task_id.to_string());
    assert_eq!(problem["retriable"], true, "{problem}");
    let dropped = world.task(&oldest.task_id).await;
    assert_eq!((dropped.state, dropped.attempts), (TaskState::Failed, 0));
    let metrics = world.metrics().await;
    let events = "admission_backpressure_events_total";
    assert_eq!(metrics.sum_where(events, "policy", "drop-lru"), 1.0);
    assert_eq!(metrics.sum_where("queue_depth", "priority", "batch"), 1.0);

    world.raw.cancel(&running).await;
    world
        .until_state(&newcomer.task_id, TaskState::Completed)
        .await;
}

#[tokio::test]
async fn a_session_takes_its_turns_and_no_more() {
    let options = DaemonOptions::default().config("[session]\nturns_max = 2\n");
    let world = World::ready_with(options).await;
    let session = Uuid::new_v4();
    let turn = || with(exactly(2, 5), "session_id", session.to_string());
    for _ in 0..2 {
        let created = world.create(turn()).await;
        world
            .until_state(&created.task_id, TaskState::Completed)
            .await;
    }
    let seen = world
        .client
        .session_get(&session)
        .await
        .unwrap()
        .into_body();
    assert_eq!((seen.turns, seen.turns_max), (2, 2));
    assert_eq!(seen.replica.as_deref(), Some("default-0"));

    let refused = world.raw.create(&turn()).await;
    assert_eq!(refused.status, 409);
    let problem = refused.problem();
    assert_eq!(problem["code"], "SESSION_EXHAUSTED", "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "/session_id", "{problem}");
    assert_eq!(problem["limit_name"], "session.turns_max", "{problem}");
    let after = world
        .client
        .session_get(&session)
        .await
        .unwrap()
        .into_body();
    assert_eq!(after.turns, 2);
    let path = format!("/v1/tasks?session_id={session}");
    let tasks = world.raw.get(&path).await.json();
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), 2);

    let other = with(plain(), "session_id", Uuid::new_v4().to_string());
    assert_eq!(world.raw.create(&other).await.status, 202);
    let path = format!("/v1/sessions/{session}");
    let deleted = send(world.raw.request("DELETE", &path)).await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_eq!(world.raw.get(&path).await.status, 404);
    assert_eq!(world.raw.create(&turn()).await.status, 202);
}

#[tokio::test]
async fn a_pool_whose_model_is_broken_gives_up_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("half.gguf");
    let whole = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/haiku-tiny/haiku-tiny-q8_0.gguf"
    );
    let bytes = std::fs::read(whole).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    let config = format!(
        "[[pool]]\nid = \"broken\"\nmodel_file = {:?}\nrestarts_max = 4\n",
        model.display().to_string()
    );
    let world = World::with(DaemonOptions::default().config(&config));
    // While there is hope, tasks are accepted.
    let hopeful = world.create(plain()).await.task_id;
    let missing = eventually("the pool gives up", async || {
        let answer = world.raw.get("/readyz").await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        let problem = answer.problem();
        assert_eq!(problem["code"], "NOT_READY");
        let fault = problem["errors"][0].clone();
        let detail = fault["detail"].as_str().unwrap();
        detail.contains("stays down").then_some(fault)
    })
    .await;
    assert_eq!(missing["pointer"], "pool/broken");
    assert!(
        missing["detail"].as_str().unwrap().contains("half.gguf"),
        "{missing}"
    );
    assert!(missing["hint"].as_str().is_some(), "{missing}");

    let refused = world.raw.create(&plain()).await;
    assert_eq!(refused.status, 503);
    let problem = refused.problem();
    assert_eq!(problem["code"], "POOL_UNAVAILABLE", "{problem}");
    // The pool comes back only with another daemon.
    assert_eq!(problem["retriable"], false, "{problem}");
    let story = world.raw.story(&hopeful).await;
    let last = story.last().unwrap();
    assert_eq!(last.name, "error", "{story:#?}");
    assert_eq!(data(last)["code"], "POOL_UNAVAILABLE", "{story:#?}");
    assert_eq!(data(last)["retriable"], false, "{story:#?}");
    let tasks = world.raw.get("/v1/tasks").await.json();
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), 1, "{tasks}");
    let health = world.client.pool_health("broken").await.unwrap();
    assert_eq!((health.live, health.ready), (false, false));
    assert_eq!(health.state, PoolState::Unavailable);
    // It is alive all the same.
    assert_eq!(world.raw.get("/healthz").await.status, 200);
}
