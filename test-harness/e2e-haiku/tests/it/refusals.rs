//! What fits the contract and cannot be done is refused by the machine, and nothing has changed afterwards.

use api_client::types::TaskState;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::picture::Picture;
use crate::raw::{data, told};
use crate::world::{World, exactly, plain, with};

/// Longer than any tokenizer could fit into the model's context.
fn endless_prompt() -> Value {
    json!({ "input": { "kind": "prompt", "prompt": "rain ".repeat(40_000) } })
}

#[tokio::test]
async fn a_task_that_can_never_run_is_refused_and_changes_nothing() {
    let world = World::ready().await;
    let before = Picture::take(&world).await;
    let cases = [
        (
            with(plain(), "model_ref", "gpt-9"),
            "MODEL_UNKNOWN",
            "/model_ref",
        ),
        (
            with(plain(), "engine", "llamacpp"),
            "MODEL_UNKNOWN",
            "/engine",
        ),
        (endless_prompt(), "CONTEXT_EXCEEDED", "/input/prompt"),
        (with(plain(), "ctx", 1_000_000), "CONTEXT_EXCEEDED", "/ctx"),
    ];
    for (body, code, pointer) in &cases {
        let answer = world.raw.create(body).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        let problem = answer.problem();
        assert_eq!(problem["code"], *code, "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], *pointer, "{problem}");
        assert_eq!(problem["retriable"], false, "{problem}");
        assert_eq!(Picture::take(&world).await, before, "{code}");
    }
    let rejected = world.metrics().await;
    let of = |code: &str| rejected.sum_where("tasks_rejected_total", "reason", code);
    assert_eq!((of("MODEL_UNKNOWN"), of("CONTEXT_EXCEEDED")), (2.0, 2.0));
}

#[tokio::test]
async fn a_prompt_that_only_the_engine_can_measure_fails_when_it_runs() {
    let world = World::ready().await;
    // About a token for each character, so twice the context, but few bytes.
    let prompt = "zq ".repeat(400);
    let created = world
        .create(json!({ "input": { "kind": "prompt", "prompt": prompt } }))
        .await;
    let story = world.raw.story(&created.task_id).await;
    let last = story.last().unwrap();
    assert_eq!(last.name, "error", "{story:#?}");
    let problem = data(last);
    assert_eq!(problem["code"], "CONTEXT_EXCEEDED", "{problem}");
    assert_eq!(problem["status"], 422, "{problem}");
    assert_eq!(problem["engine"], "embedded", "{problem}");
    assert_eq!(problem["task_id"], created.task_id.to_string());
    assert_eq!(problem["retriable"], false, "{problem}");
    let names: Vec<String> = told(&story).into_iter().map(|event| event.name).collect();
    assert_eq!(names, ["started", "error"]);

    let task = world.task(&created.task_id).await;
    assert_eq!((task.state, task.attempts), (TaskState::Failed, 1));
    assert_eq!(task.error.unwrap().code.as_str(), "CONTEXT_EXCEEDED");
    world.until_idle("default").await;
}

#[tokio::test]
async fn a_repeat_under_the_same_id_is_answered_and_another_body_is_refused() {
    let world = World::ready().await;
    let id = Uuid::new_v4();
    let body = with(exactly(3, 7), "task_id", id.to_string());
    let first = world.raw.create(&body).await;
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (202, None)
    );
    world.raw.story(&id).await;
    world.until_idle("default").await;
    let before = Picture::take(&world).await;

    let again = world.raw.create(&body).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (202, Some("true"))
    );
    assert_eq!(again.header("location"), first.header("location"));
    let (mut was, mut is) = (first.json(), again.json());
    // The id of the request is each request's own, and the state is the task's at that moment.
    for own in ["correlation_id", "state"] {
        was[own] = Value::Null;
        is[own] = Value::Null;
    }
    assert_eq!(is, was);

    let other = world.raw.create(&with(body, "seed", 8)).await;
    assert_eq!(other.status, 409);
    let problem = other.problem();
    assert_eq!(problem["code"], "TASK_ID_CONFLICT");
    assert_eq!(problem["errors"][0]["pointer"], "/task_id");
    assert_eq!(problem["task_id"], id.to_string());
    assert_eq!(problem["retriable"], false);
    assert_eq!(Picture::take(&world).await, before);
}

#[tokio::test]
async fn a_second_cancel_is_answered_like_the_first() {
    let world = World::throttled(20.0).await;
    let running = world.create(exactly(200, 1)).await.task_id;
    let queued = world.create(exactly(200, 2)).await.task_id;
    world.raw.open(&running, None).await.up_to_token(2).await;
    for id in [queued, running] {
        let first = world.raw.cancel(&id).await;
        assert_eq!(first.status, 200);
        assert_eq!(first.json()["state"], "cancelled");
        let again = world.raw.cancel(&id).await;
        assert_eq!((again.status, again.json()), (200, first.json()));
    }
    let ended = world.metrics().await;
    assert_eq!(ended.sum("tasks_canceled_total"), 2.0);

    let done = world.create(exactly(1, 3)).await.task_id;
    let done = world.until_state(&done, TaskState::Completed).await;
    let answer = world.raw.cancel(&done.task_id).await;
    assert_eq!((answer.status, answer.json()), (200, json!(done)));
}
