//! Held queues: they accept, dispatch nothing, say so everywhere, and go on where they were.

use api_client::types::TaskState;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, exactly};

impl World {
    pub(crate) async fn switch(&self, verb: &str, body: Value) -> Value {
        let answer = self.raw.post(&format!("/v1/queue/{verb}"), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    async fn why(&self, task: &Uuid) -> Value {
        self.raw.get(&format!("/v1/tasks/{task}")).await.json()["why"].clone()
    }
}

#[tokio::test]
async fn a_held_queue_says_so_and_goes_on_over_a_restart_where_it_was() {
    let mut world = World::keyed().await;
    let mine = world.raw.get("/v1/whoami").await.json()["key_id"].clone();
    let held = world.switch("pause", json!({})).await;
    assert_eq!((&held["paused"], &held["by"]), (&json!(true), &mine));
    assert_eq!(held.get("pool"), None);
    let again = world.switch("pause", json!({})).await;
    assert_eq!(again, held, "a repeat is no switch");

    let task = world.create(exactly(3, 1)).await.task_id;
    world.daemon.kill();
    world.restart().await;
    let why = world.why(&task).await;
    assert!(why["summary"].as_str().unwrap().contains("paused"), "{why}");
    assert_eq!(why["candidates"][0]["verdict"], "paused", "{why}");
    assert_eq!(world.task(&task).await.state, TaskState::Queued);
    let health = world.raw.get("/v1/pools/default/health").await.json();
    assert_eq!(
        (&health["paused"], &health["ready"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(health["slots_free"], 0);
    let ready = world.raw.get("/readyz").await.json();
    assert_eq!(ready["paused_pools"], json!(["default"]));
    let queue = world.raw.get("/v1/queue").await.json();
    assert_eq!(
        (&queue["pools"], &queue["switches"]),
        (
            &json!([{ "pool": "default", "paused": true }]),
            &json!([held])
        )
    );
    assert_eq!(queue["classes"][0]["queued"], 1);

    let gone_on = world.switch("resume", json!({})).await;
    assert_eq!(gone_on["paused"], false);
    assert!(gone_on["since_ms"].as_u64() >= held["since_ms"].as_u64());
    world.until_state(&task, TaskState::Completed).await;
    let ready = world.raw.get("/readyz").await.json();
    assert_eq!(ready.get("paused_pools"), None);
}

#[tokio::test]
async fn a_pool_has_a_switch_of_its_own_and_what_runs_goes_on() {
    let world = World::throttled(100.0).await;
    let running = world.create(exactly(40, 1)).await.task_id;
    world.raw.open(&running, None).await.up_to("started").await;
    world.switch("pause", json!({ "pool": "default" })).await;
    let waiting = world.create(exactly(2, 1)).await.task_id;
    world.until_state(&running, TaskState::Completed).await;
    world.switch("resume", json!({})).await;
    assert_eq!(world.task(&waiting).await.state, TaskState::Queued);
    world.switch("resume", json!({ "pool": "default" })).await;
    world.until_state(&waiting, TaskState::Completed).await;

    let body = json!({ "pool": "nowhere" });
    let refused = world.raw.post("/v1/queue/pause", &body).await;
    assert_eq!(refused.status, 404);
    assert_eq!(refused.pointers(), ["/pool"]);
    assert!(refused.text().contains("default"), "{}", refused.text());
}

#[tokio::test]
async fn a_task_that_waits_in_a_held_queue_is_cancelled_like_any_other() {
    let world = World::ready().await;
    world.switch("pause", json!({})).await;
    let task = world.create(exactly(2, 1)).await.task_id;
    world.raw.cancel(&task).await;
    let ended = world.task(&task).await;
    assert_eq!((ended.state, ended.attempts), (TaskState::Cancelled, 0));
}
