//! Streams end with the key that opened them, and their tasks do not.

use std::time::{SystemTime, UNIX_EPOCH};

use api_client::types::TaskState;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::raw::{Raw, data};
use crate::world::{World, eventually, exactly, throttle, with};
use api_client::support::RawEvent;

/// A key that may use tasks: its id, and calls with it.
async fn user(world: &World, body: Value) -> (String, Raw) {
    let body = with(with(body, "name", "reader"), "scopes", json!(["user"]));
    let made = world.raw.post("/v1/keys", &body).await.json();
    let id = made["key"]["key_id"].as_str().unwrap().to_owned();
    (id, world.raw.with_key(made["api_key"].as_str().unwrap()))
}

async fn created(raw: &Raw, body: &Value) -> Uuid {
    let answer = raw.create(body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["task_id"].as_str().unwrap().parse().unwrap()
}

/// The last event of a stream, which tells that its key is in force no more.
fn shut_out(events: &[RawEvent], task: &Uuid) -> Value {
    let last = events.last().unwrap();
    assert_eq!(last.name, "error", "{events:#?}");
    assert_eq!(last.id, None);
    let problem = data(last);
    assert_eq!(problem["code"], "UNAUTHORIZED", "{problem}");
    assert_eq!(
        (
            &problem["status"],
            &problem["task_id"],
            &problem["retriable"]
        ),
        (&json!(401), &json!(task.to_string()), &json!(false))
    );
    problem
}

#[tokio::test]
async fn a_revoked_key_ends_its_streams_and_no_other_and_the_task_goes_on() {
    let world = World::keyed_with(throttle(50.0)).await;
    let (id, revoked) = user(&world, json!({})).await;
    let (_, other) = user(&world, json!({})).await;
    let task = created(&revoked, &exactly(200, 1)).await;
    let waits = created(&revoked, &exactly(2, 1)).await;
    let mut running = revoked.open(&task, None).await;
    let seen = running.up_to_token(3).await;
    let mut waiting = revoked.open(&waits, None).await;
    waiting.up_to("metrics").await;
    let mut theirs = other.open(&task, None).await;
    theirs.up_to_token(3).await;

    let answer = world
        .raw
        .post(&format!("/v1/keys/{id}/revoke"), &json!({}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let rest = running.rest().await;
    let problem = shut_out(&rest, &task);
    assert_eq!(
        problem["detail"],
        format!(
            "key {id} was revoked; ask an operator for another; the task goes on, and can be read on with another key from the last event's id"
        )
    );
    shut_out(&waiting.rest().await, &waits);
    assert_eq!(
        revoked.stream(&task, None).send().await.unwrap().status(),
        401
    );

    // Neither the other reader nor the task has noticed; the text is read on where it broke off.
    let last = seen
        .iter()
        .chain(&rest)
        .rev()
        .find_map(|event| event.id.clone());
    let whole = theirs.rest().await;
    assert_eq!(whole.last().unwrap().name, "end");
    let on = other.open(&task, last.as_deref()).await.rest().await;
    assert_eq!(on.last().unwrap().name, "end");
    let ended = world.until_state(&task, TaskState::Completed).await;
    assert_eq!(ended.stream_position, 200);
}

#[tokio::test]
async fn a_key_that_expires_or_is_replaced_ends_its_streams_with_the_reason() {
    let world = World::keyed_with(throttle(20.0)).await;
    // It would live for long; a successor and a moment beside it make it expire while it reads.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let late = u64::try_from(now.as_millis()).unwrap() + 3_600_000;
    let (id, short) = user(&world, json!({ "expires_at_ms": late })).await;
    let task = created(&short, &exactly(400, 1)).await;
    let mut frames = short.open(&task, None).await;
    frames.up_to_token(0).await;
    let rotate = format!("/v1/keys/{id}/rotate");
    let made = world.raw.post(&rotate, &json!({ "grace_ms": 1 })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let problem = shut_out(&frames.rest().await, &task);
    let keys = world.raw.get("/v1/keys").await.json();
    let all = keys["keys"].as_array().unwrap();
    let old = all.iter().find(|key| key["key_id"] == id.as_str());
    let at = old.unwrap()["expires_at_ms"].as_u64().unwrap();
    assert!(at < late, "{at}");
    let expired = format!("key {id} expired at {at} ");
    assert!(
        problem["detail"].as_str().unwrap().starts_with(&expired),
        "{problem}"
    );

    let (id, old) = user(&world, json!({})).await;
    let mut frames = old.open(&task, None).await;
    frames.up_to_token(0).await;
    let rotate = format!("/v1/keys/{id}/rotate");
    let made = world.raw.post(&rotate, &json!({ "grace_ms": 0 })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let successor = made.json()["key"]["key_id"].as_str().unwrap().to_owned();
    let problem = shut_out(&frames.rest().await, &task);
    let replaced = format!("key {id} was replaced by key {successor}; use that one");
    assert!(
        problem["detail"].as_str().unwrap().starts_with(&replaced),
        "{problem}"
    );
}

#[tokio::test]
async fn a_task_that_ends_with_its_last_reader_goes_on_where_that_was_shut_out() {
    const TOKENS_PER_SECOND: u64 = 20;
    let world = World::keyed_with(throttle(TOKENS_PER_SECOND as f64)).await;
    let (id, raw) = user(&world, json!({})).await;
    let body = with(exactly(400, 1), "on_disconnect", "cancel");
    let task = created(&raw, &body).await;
    let mut frames = raw.open(&task, None).await;
    frames.up_to_token(0).await;
    world
        .raw
        .post(&format!("/v1/keys/{id}/revoke"), &json!({}))
        .await;
    shut_out(&frames.rest().await, &task);
    // It would have been cancelled five seconds after its last reader had left; it runs on for eight at least.
    let position = world.task(&task).await.stream_position;
    let later = position + 8 * TOKENS_PER_SECOND;
    assert!(later <= 400, "shut out too late to see it: at {position}");
    eventually("the task runs on", async || {
        let task = world.task(&task).await;
        assert_ne!(task.state, TaskState::Cancelled, "{task:#?}");
        (task.stream_position >= later).then_some(())
    })
    .await;
}
