//! Classes have the names that the operator gives them.

use api_client::types::TaskState;
use serde_json::{Value, json};
use test_harness_support::DaemonOptions;

use crate::world::{World, exactly, plain, with};

/// Two classes share a band, and a third comes after them. Nothing is dispatched until the queue is let go.
const THREE: &str = "
    [queue]
    default_class = \"soon\"
    [[queue.class]]
    name = \"urgent\"
    capacity = 5
    weight = 4
    full_policy = \"shed-low-priority\"
    [[queue.class]]
    name = \"soon\"
    capacity = 6
    band = 1
    [[queue.class]]
    name = \"nightly\"
    capacity = 7
    full_policy = \"drop-lru\"
";

/// The last one has another name.
fn renamed() -> String {
    THREE.replace("nightly", "weekly")
}

fn options(config: &str) -> DaemonOptions {
    DaemonOptions::default().config(config)
}

async fn classes(world: &World) -> Value {
    world.raw.get("/v1/queue").await.json()["classes"].clone()
}

async fn let_go(world: &World) {
    let answer = world.raw.post("/v1/queue/resume", &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn they_are_told_with_their_limits_and_asked_for_by_name() {
    let world = World::ready_with(options(THREE)).await;
    world.hold().await;
    let told = world.raw.get("/v1/capabilities").await.json();
    assert_eq!(
        told["classes"],
        json!([
            { "class": "urgent", "default": false },
            { "class": "soon", "default": true },
            { "class": "nightly", "default": false },
        ])
    );
    let capacities = [
        ("queue.urgent.capacity", 5),
        ("queue.soon.capacity", 6),
        ("queue.nightly.capacity", 7),
    ];
    for (place, (name, value)) in capacities.into_iter().enumerate() {
        let limit = &told["limits"][place];
        assert_eq!(
            (&limit["limit_name"], &limit["value"]),
            (&json!(name), &json!(value))
        );
    }
    assert_eq!(world.create(plain()).await.priority, "soon");
    let nightly = world.create(with(plain(), "priority", "nightly")).await;
    assert_eq!(
        (nightly.priority.as_str(), nightly.queue_position),
        ("nightly", 1)
    );
    let listed = world.raw.get("/v1/tasks?priority=nightly").await.json();
    assert_eq!(listed["tasks"][0]["task_id"], nightly.task_id.to_string());
    assert_eq!(
        classes(&world).await,
        json!([
            { "class": "urgent", "configured": true, "band": 1, "weight": 4, "capacity": 5, "full_policy": "shed-low-priority", "queued": 0 },
            { "class": "soon", "configured": true, "band": 1, "weight": 1, "capacity": 6, "full_policy": "reject", "queued": 1 },
            { "class": "nightly", "configured": true, "band": 3, "weight": 1, "capacity": 7, "full_policy": "drop-lru", "queued": 1 },
        ])
    );
    let metrics = world.metrics().await;
    assert_eq!(metrics.sum_where("queue_depth", "priority", "nightly"), 1.0);
}

#[tokio::test]
async fn one_that_is_not_there_is_refused_at_its_place_with_those_that_are() {
    let world = World::keyed_with(options(THREE)).await;
    let bulk = json!({ "filter": { "priority": "batch" } });
    let counted = json!({ "filter": { "priority": "batch" }, "dry_run": true });
    let key = json!({ "name": "x", "scopes": ["user"], "class_max": "batch" });
    let task = with(plain(), "priority", "batch");
    for (path, body, pointer) in [
        ("/v1/tasks", &task, "/priority"),
        ("/v1/tasks/cancel", &bulk, "/filter/priority"),
        ("/v1/tasks/cancel", &counted, "/filter/priority"),
        ("/v1/keys", &key, "/class_max"),
    ] {
        let refused = world.raw.post(path, body).await;
        assert_eq!(refused.status, 400, "{path}");
        assert_eq!(refused.pointers(), [pointer], "{path}");
        let problem = refused.problem();
        assert_eq!(problem["code"], "INVALID_PARAMS", "{problem}");
        assert_eq!(
            problem["detail"], "there is no class `batch`; there are: urgent, soon, nightly",
            "{problem}"
        );
    }
    let metrics = world.metrics().await;
    assert_eq!(
        metrics.sum_where("task_refusals_total", "priority", "batch"),
        0.0
    );
}

#[tokio::test]
async fn a_key_is_held_to_its_class_and_to_the_least_urgent_once_that_is_gone() {
    let mut world = World::keyed_with(options(THREE)).await;
    let made = json!({ "name": "x", "scopes": ["user"], "class_max": "nightly" });
    let made = world.raw.post("/v1/keys", &made).await.json();
    let key = made["api_key"].as_str().unwrap().to_owned();
    let urgent = with(plain(), "priority", "urgent");
    let created = world.raw.with_key(&key).create(&urgent).await.json();
    assert_eq!(created["priority"], "nightly");
    world.daemon.kill();
    world.restart_with(options(&renamed())).await;
    let created = world.raw.with_key(&key).create(&urgent).await.json();
    assert_eq!(created["priority"], "weekly");
    let shown = world.raw.with_key(&key).get("/v1/whoami").await.json();
    assert_eq!(shown["class_max"], "nightly");
}

#[tokio::test]
async fn tasks_of_a_class_that_is_gone_are_shown_and_run() {
    let mut world = World::ready_with(options(THREE)).await;
    world.hold().await;
    let task = with(exactly(3, 1), "priority", "nightly");
    let kept = world.create(task.clone()).await.task_id;
    world.daemon.kill();
    world.restart_with(options(&renamed())).await;
    let shown = classes(&world).await;
    assert_eq!(
        shown[3],
        json!({ "class": "nightly", "configured": false, "band": 3, "weight": 1, "queued": 1 })
    );
    assert_eq!(world.raw.create(&task).await.status, 400);
    let_go(&world).await;
    let ended = world.until_state(&kept, TaskState::Completed).await;
    assert_eq!(ended.priority, "nightly");
    let listed = world.raw.get("/v1/tasks?priority=nightly").await.json();
    assert_eq!(listed["tasks"][0]["task_id"], kept.to_string());
}
