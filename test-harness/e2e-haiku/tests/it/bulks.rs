//! Many tasks cancelled, or taken back into the queue, by one request.

use api_client::types::TaskState;
use serde_json::{Value, json};
use test_harness_support::DaemonOptions;
use uuid::Uuid;

use crate::world::{World, eventually, exactly, plain, with};

const CANCEL: &str = "/v1/tasks/cancel";
const REQUEUE: &str = "/v1/tasks/requeue";

impl World {
    async fn bulk(&self, path: &str, body: &Value) -> Value {
        let answer = self.raw.post(path, body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let told = answer.json();
        let location = told["bulk_id"].as_str().map(|id| format!("/v1/bulks/{id}"));
        assert_eq!(answer.header("location"), location.as_deref());
        told
    }

    /// What it has come to in the end.
    async fn bulk_done(&self, begun: &Value) -> Value {
        let path = format!("/v1/bulks/{}", begun["bulk_id"].as_str().unwrap());
        eventually("the bulk is done", async || {
            let told = self.raw.get(&path).await.json();
            (told["state"] == "done").then_some(told)
        })
        .await
    }

    pub(crate) async fn hold(&self) {
        let answer = self.raw.post("/v1/queue/pause", &json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// When the newest task was accepted.
    async fn newest(&self) -> u64 {
        let page = self.raw.get("/v1/tasks?limit=1").await.json();
        page["tasks"][0]["created_at_ms"].as_u64().unwrap()
    }

    async fn many(&self, tasks: usize, body: &Value) {
        let body = json!({ "tasks": vec![body; tasks] });
        let told = self.raw.post("/v1/tasks/batch", &body).await.json();
        assert_eq!(told["accepted"], json!(tasks), "{told}");
    }
}

#[tokio::test]
async fn it_is_counted_first_and_goes_on_over_a_kill_without_touching_what_came_later() {
    let options = DaemonOptions::default().config("[[queue.class]]\nname = \"interactive\"\ncapacity = 2000\n[[queue.class]]\nname = \"batch\"\n");
    let mut world = World::keyed_with(options).await;
    let mine = world.raw.get("/v1/whoami").await.json()["key_id"].clone();
    world.hold().await;
    world.many(1_000, &plain()).await;
    let mut counted = world.bulk(CANCEL, &json!({ "dry_run": true })).await;
    let at = counted.as_object_mut().unwrap().remove("counted_at_ms");
    assert!(at.unwrap().as_u64() >= Some(world.newest().await));
    assert_eq!(
        counted,
        json!({ "action": "cancel", "state": "dry_run", "filter": {}, "matched": 1_000, "changed": 1_000, "skipped": 0 })
    );
    let begun = world.bulk(CANCEL, &json!({})).await;
    assert_eq!(
        (&begun["state"], &begun["created_by"]),
        (&json!("running"), &mine)
    );
    let later = world.create(plain()).await.task_id;
    world.daemon.kill();
    world.restart().await;
    let done = world.bulk_done(&begun).await;
    assert_eq!(
        (&done["matched"], &done["changed"], &done["skipped"]),
        (&json!(1_000), &json!(1_000), &json!(0))
    );
    assert!(done["ended_at_ms"].as_u64() >= begun["created_at_ms"].as_u64());
    assert_eq!(world.task(&later).await.state, TaskState::Queued);
    let left = world.bulk(CANCEL, &json!({ "dry_run": true })).await;
    assert_eq!(left["matched"], 1);
}

#[tokio::test]
async fn a_filter_narrows_it_and_what_is_not_parked_is_skipped() {
    let world = World::ready().await;
    world.hold().await;
    let session = Uuid::new_v4().to_string();
    let batch = with(exactly(2, 1), "priority", "batch");
    let kept = world.create(plain()).await.task_id;
    let first = world.create(batch.clone()).await.task_id;
    let second = world
        .create(with(plain(), "session_id", session.clone()))
        .await
        .task_id;
    let body = json!({ "filter": { "priority": "batch", "state": "queued" } });
    let begun = world.bulk(CANCEL, &body).await;
    assert_eq!(begun["filter"], body["filter"]);
    let done = world.bulk_done(&begun).await;
    assert_eq!(done["changed"], 1, "{done}");
    assert_eq!(world.task(&first).await.state, TaskState::Cancelled);
    let body = json!({ "filter": { "session_id": session } });
    world.bulk_done(&world.bulk(CANCEL, &body).await).await;
    assert_eq!(world.task(&second).await.state, TaskState::Cancelled);
    let created = world.task(&kept).await.created_at_ms;
    let body = json!({ "filter": { "created_before_ms": created } });
    let none = world.bulk_done(&world.bulk(CANCEL, &body).await).await;
    assert_eq!(none["matched"], 0, "{none}");
    let skipped = world
        .bulk_done(&world.bulk(REQUEUE, &json!({})).await)
        .await;
    assert_eq!(
        (
            &skipped["changed"],
            &skipped["skipped"],
            &skipped["skip_reason"]
        ),
        (&json!(0), &json!(1), &json!("not_parked"))
    );
    assert_eq!(world.task(&kept).await.state, TaskState::Queued);
}

#[tokio::test]
async fn another_tenant_and_another_project_are_out_of_its_reach() {
    let world = World::keyed().await;
    world.hold().await;
    let made = async |body: Value| {
        let made = world.raw.post("/v1/keys", &body).await.json();
        world.raw.with_key(made["api_key"].as_str().unwrap())
    };
    let other = made(json!({ "name": "other", "scopes": ["user"], "tenant": "other" })).await;
    let project = Uuid::new_v4().to_string();
    let bound = made(json!({ "name": "bound", "scopes": ["user"], "project_id": project })).await;
    let task = world.create(plain()).await.task_id;
    for stranger in [&other, &bound] {
        let begun = stranger.post(CANCEL, &json!({})).await.json();
        let path = format!("/v1/bulks/{}", begun["bulk_id"].as_str().unwrap());
        let done = eventually("the bulk is done", async || {
            let told = stranger.get(&path).await.json();
            (told["state"] == "done").then_some(told)
        })
        .await;
        assert_eq!(done["matched"], 0, "{done}");
    }
    assert_eq!(world.task(&task).await.state, TaskState::Queued);
    let begun = world.bulk(CANCEL, &json!({})).await;
    let path = format!("/v1/bulks/{}", begun["bulk_id"].as_str().unwrap());
    for stranger in [&other, &bound] {
        assert_eq!(stranger.get(&path).await.status, 404);
    }
    let elsewhere = json!({ "filter": { "project_id": Uuid::new_v4().to_string() } });
    assert_eq!(bound.post(CANCEL, &elsewhere).await.status, 403);
}

#[tokio::test]
async fn a_state_in_which_a_task_has_ended_is_refused_with_its_place() {
    let world = World::ready().await;
    let body = json!({ "filter": { "state": "completed" } });
    let refused = world.raw.post(CANCEL, &body).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(refused.pointers(), ["/filter/state"]);
}
