//! One task for one idempotency key, from outside.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::raw::{Answer, send};
use crate::world::{World, plain, with};

/// Hands a task over under a key, written as it is.
async fn create(world: &World, key: &str, body: &Value) -> Answer {
    let request = world.raw.request("POST", "/v1/tasks").json(body);
    send(request.header("Idempotency-Key", key)).await
}

/// The task of an answer, and whether it is said to be a repeat.
fn accepted(answer: &Answer) -> (Value, bool) {
    assert_eq!(answer.status, 202, "{answer:?}");
    let replayed = answer.headers.get("idempotency-replayed");
    (
        answer.json()["task_id"].clone(),
        replayed.is_some_and(|value| value == "true"),
    )
}

/// How many tasks there are.
async fn tasks(world: &World) -> usize {
    let page = world.raw.get("/v1/tasks").await.json();
    page["tasks"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_repeat_gets_the_same_task_quoted_or_bare_and_after_the_end_and_a_restart() {
    let mut world = World::ready().await;
    let body = plain();
    let (task, replayed) = accepted(&create(&world, "a-key", &body).await);
    assert!(!replayed);
    let again = (task.clone(), true);
    assert_eq!(accepted(&create(&world, "\"a-key\"", &body).await), again);
    let id = task.as_str().unwrap().parse().unwrap();
    world.raw.story(&id).await;
    assert_eq!(accepted(&create(&world, "a-key", &body).await), again);
    world.daemon.terminate();
    world.restart().await;
    assert_eq!(accepted(&create(&world, "a-key", &body).await), again);
    assert_eq!(tasks(&world).await, 1);
}

#[tokio::test]
async fn an_answer_lost_to_a_kill_is_the_same_afterwards() {
    let mut world = World::ready().await;
    let body = plain();
    let keys: Vec<String> = (0..20).map(|n| format!("key-{n}")).collect();
    let firsts = join_all(keys.iter().map(|key| create(&world, key, &body))).await;
    // Whoever asked is as one whose answer was lost: the daemon has no time to end anything in order.
    world.daemon.kill();
    world.restart().await;
    for (key, first) in keys.iter().zip(&firsts) {
        let (task, _) = accepted(first);
        assert_eq!(
            accepted(&create(&world, key, &body).await),
            (task, true),
            "{key}"
        );
    }
    assert_eq!(tasks(&world).await, keys.len());
}

#[tokio::test]
async fn many_at_once_under_one_key_make_one_task() {
    let world = World::ready().await;
    let body = plain();
    let answers = join_all((0..32).map(|_| create(&world, "one", &body))).await;
    let seen: Vec<_> = answers.iter().map(accepted).collect();
    assert!(seen.iter().all(|(task, _)| *task == seen[0].0), "{seen:?}");
    assert_eq!(seen.iter().filter(|(_, replayed)| !replayed).count(), 1);
    assert_eq!(tasks(&world).await, 1);
}

#[tokio::test]
async fn another_body_is_refused_and_a_refused_one_binds_nothing() {
    let world = World::ready().await;
    let (task, _) = accepted(&create(&world, "k", &plain()).await);
    let other = create(&world, "k", &with(plain(), "seed", 5)).await;
    let problem = other.json();
    assert_eq!(other.status, 422, "{problem}");
    assert_eq!(problem["code"], "IDEMPOTENCY_MISMATCH");
    assert_eq!(problem["task_id"], task);
    assert_eq!(problem["errors"][0]["pointer"], "header/Idempotency-Key");

    let unknown = with(plain(), "model_ref", "nobody-serves-this");
    assert_eq!(create(&world, "new", &unknown).await.status, 422);
    let (_, replayed) = accepted(&create(&world, "new", &plain()).await);
    assert!(!replayed);
}

#[tokio::test]
async fn a_key_of_another_form_is_refused_with_its_place() {
    let world = World::ready().await;
    let too_long = "k".repeat(256);
    for key in ["two words", "\"", "\"open", "a\"b", "\"\"", &too_long] {
        let answer = create(&world, key, &plain()).await;
        let problem = answer.json();
        assert_eq!(answer.status, 400, "{key}: {problem}");
        assert_eq!(
            problem["errors"][0]["pointer"], "header/Idempotency-Key",
            "{key}"
        );
    }
    let longest = "k".repeat(255);
    for key in [
        longest.as_str(),
        "\"with \\\"quotes\\\" and blanks\"",
        "~!#&[]",
    ] {
        accepted(&create(&world, key, &plain()).await);
    }
    assert_eq!(tasks(&world).await, 3);
}

#[tokio::test]
async fn keys_of_two_tenants_have_nothing_to_do_with_each_other() {
    let mut world = World::keyed().await;
    let (one, _) = accepted(&create(&world, "same", &plain()).await);
    let body = json!({ "name": "other", "tenant": "acme", "scopes": ["user"] });
    let made = world.raw.post("/v1/keys", &body).await.json();
    world.show(made["api_key"].as_str().unwrap());
    let (other, replayed) = accepted(&create(&world, "same", &plain()).await);
    assert!(!replayed);
    assert_ne!(one, other);
}
