//! What came of tasks: `task_result`.

use api_client::types::{FinishReason, ProblemCode, TaskState};
use serde_json::Value;
use test_harness_e2e_haiku::watch::watch;
use uuid::Uuid;

use crate::contract::published;
use crate::world::{World, exactly, plain, with};

#[tokio::test]
async fn a_result_is_what_the_stream_told() {
    let world = World::ready().await;
    let task = world.create(plain()).await;
    let story = watch(&world.client, &task.task_id, |_| ()).await.unwrap();
    let result = world
        .client
        .task_result(&task.task_id)
        .await
        .unwrap()
        .into_body();
    assert_eq!(result.state, TaskState::Completed);
    assert_eq!(result.text.as_deref(), Some(story.text.as_str()));
    assert_eq!(result.finish_reason, Some(story.end.finish_reason));
    assert_eq!(result.tokens_in, Some(story.end.tokens_in));
    assert_eq!(result.tokens_out, Some(story.tokens));
    assert_eq!(result.seed, task.seed);
    assert_eq!(result.attempts, 1);
    assert_eq!(
        result.engine_version.as_deref(),
        Some(story.started.engine_version.as_str())
    );
    let timings = result.timings;
    let (first, total) = (timings.first_token_ms.unwrap(), timings.total_ms.unwrap());
    assert!(timings.queue_ms.unwrap() <= first && first <= total);
    assert!(timings.decode_ms.unwrap() <= total);
}

#[tokio::test]
async fn before_the_end_the_text_is_null_and_after_a_cancel_it_is_what_was_sent() {
    let world = World::throttled(20.0).await;
    let running = world.create(exactly(400, 7)).await.task_id;
    let waiting = world.create(plain()).await.task_id;
    world.until_state(&running, TaskState::Running).await;
    for task in [running, waiting] {
        let answer = world.raw.get(&format!("/v1/tasks/{task}/result")).await;
        let body = answer.json();
        assert_eq!(answer.status, 200);
        // Null, and not left out: a program that polls sees that it is not there yet.
        assert_eq!(body.get("text"), Some(&Value::Null));
        assert_eq!(body.get("finish_reason"), Some(&Value::Null));
    }
    let cancelled = world
        .client
        .task_cancel(&running)
        .await
        .unwrap()
        .into_body();
    let result = world
        .client
        .task_result(&running)
        .await
        .unwrap()
        .into_body();
    assert_eq!(result.state, TaskState::Cancelled);
    assert_eq!(result.finish_reason, Some(FinishReason::Cancelled));
    assert_eq!(result.tokens_out, Some(cancelled.stream_position));
    assert_eq!(
        result.text.unwrap().is_empty(),
        cancelled.stream_position == 0
    );
    world.client.task_cancel(&waiting).await.unwrap();
}

#[tokio::test]
async fn a_failed_task_has_an_error_instead_of_a_text() {
    let world = World::ready().await;
    let long = "far too long for it ".repeat(100);
    let body = with(
        plain(),
        "input",
        serde_json::json!({ "kind": "prompt", "prompt": long }),
    );
    let task = world.create(body).await.task_id;
    world.until_state(&task, TaskState::Failed).await;
    let result = world.client.task_result(&task).await.unwrap().into_body();
    assert_eq!(result.error.unwrap().code, ProblemCode::ContextExceeded);
    assert_eq!((result.text, result.tokens_out), (None, None));
}

#[tokio::test]
async fn a_result_fits_the_contract_in_every_state_and_outlives_the_daemon() {
    let mut world = World::throttled(100.0).await;
    let completed = world.create(exactly(2, 1)).await.task_id;
    world.until_state(&completed, TaskState::Completed).await;
    let running = world.create(exactly(400, 2)).await.task_id;
    world.raw.open(&running, None).await.up_to_token(1).await;
    let never = world.create(plain()).await.task_id;
    world.raw.cancel(&never).await;
    let mut seen = Vec::new();
    for task in [completed, running, never] {
        let answer = world.raw.get(&format!("/v1/tasks/{task}/result")).await;
        published(&world, "task_result").await.check(&answer);
        seen.push(answer.json());
    }
    // It was cancelled before it ran: there is a text, and it is empty.
    let of_never = |member: &str| seen[2].get(member);
    assert_eq!(of_never("text"), Some(&Value::from("")));
    assert_eq!(of_never("attempts"), Some(&Value::from(0)));
    assert_eq!(of_never("engine_version"), None);

    world.daemon.kill();
    world.restart().await;
    for (task, before) in [(completed, &seen[0]), (never, &seen[2])] {
        let after = world.raw.get(&format!("/v1/tasks/{task}/result")).await;
        assert_eq!(after.json(), *before);
    }
}

#[tokio::test]
async fn an_unknown_task_has_no_result() {
    let world = World::with(Default::default());
    let refused = world.client.task_result(&Uuid::new_v4()).await.unwrap_err();
    let problem = refused.problem().unwrap();
    assert_eq!(
        (problem.status, &problem.code),
        (404, &ProblemCode::NotFound)
    );
}
