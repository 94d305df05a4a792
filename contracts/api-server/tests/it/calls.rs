//! Calls that reach their operation.

use api_client::ApiError;
use api_server::tasks::TaskCreateResponse;
use api_types::{
    ProblemCode, PromptInput, TaskCreateRequest, TaskCreated, TaskInputRequest, TaskState,
    TaskStateFilter,
};
use uuid::Uuid;

use crate::daemon::{Served, problem};

fn request() -> TaskCreateRequest {
    let prompt = "Write a haiku about rain.".to_owned();
    TaskCreateRequest {
        task_id: Some(Uuid::from_u128(7)),
        seed: Some(42),
        priority: Some("batch".to_owned()),
        ..TaskCreateRequest::new(TaskInputRequest::Prompt(PromptInput { prompt }))
    }
}

fn created() -> TaskCreated {
    TaskCreated {
        task_id: Uuid::from_u128(7),
        correlation_id: "c-1".to_owned(),
        state: TaskState::Queued,
        queue_position: 3,
        predicted_start_ms: 420,
        predicted_start_low_ms: Some(130),
        predicted_start_high_ms: Some(760),
        priority: "batch".to_owned(),
        seed: 42,
    }
}

#[tokio::test]
async fn a_body_arrives_whole_and_the_answer_comes_with_its_headers() {
    let served = Served::start().await;
    let answer = TaskCreateResponse::Accepted202 {
        x_budget_tokens_remaining: None,
        x_budget_time_remaining_ms: None,
        x_budget_cost_remaining_micros: None,
        location: "/v1/tasks/7".to_owned(),
        idempotency_replayed: Some(true),
        body: created(),
    };
    served.daemon.create.lock().unwrap().push_back(answer);
    let reply = served.client.task_create(None, &request()).await.unwrap();
    assert_eq!(reply.status, 202);
    assert_eq!(reply.header("location"), Some("/v1/tasks/7"));
    assert_eq!(reply.header("idempotency-replayed"), Some("true"));
    assert_eq!(reply.body, created());
    assert_eq!(*served.daemon.created.lock().unwrap(), [request()]);
}

#[tokio::test]
async fn an_absent_header_is_not_sent() {
    let served = Served::start().await;
    let answer = TaskCreateResponse::Accepted202 {
        x_budget_tokens_remaining: None,
        x_budget_time_remaining_ms: None,
        x_budget_cost_remaining_micros: None,
        location: "/v1/tasks/7".to_owned(),
        idempotency_replayed: None,
        body: created(),
    };
    served.daemon.create.lock().unwrap().push_back(answer);
    let reply = served.client.task_create(None, &request()).await.unwrap();
    assert_eq!(reply.header("idempotency-replayed"), None);
}

#[tokio::test]
async fn a_problem_is_typed_and_carries_its_patience() {
    let served = Served::start().await;
    let refusal = problem(429, ProblemCode::AdmissionReject, "the queue is full");
    served
        .daemon
        .create
        .lock()
        .unwrap()
        .push_back(refusal.into());
    let error = served
        .client
        .task_create(None, &request())
        .await
        .unwrap_err();
    assert!(error.retryable());
    assert_eq!(error.retry_after().unwrap().as_millis(), 1_500);
    let ApiError::Problem {
        status, problem, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((status, problem.code), (429, ProblemCode::AdmissionReject));

    let url = format!("{}/v1/tasks", served.url);
    let refusal = self::problem(429, ProblemCode::AdmissionReject, "the queue is full");
    served
        .daemon
        .create
        .lock()
        .unwrap()
        .push_back(refusal.into());
    let raw = reqwest::Client::new().post(url).json(&request()).send();
    let raw = raw.await.unwrap();
    // Rounded up: 1.5 s is not over after 1 s.
    assert_eq!(raw.headers()["retry-after"], "2");
    assert_eq!(raw.headers()["x-backoff-ms"], "1500");
    assert_eq!(raw.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn parameters_arrive_typed_and_absent_ones_absent() {
    let served = Served::start().await;
    let (project, session) = (Uuid::from_u128(7), Uuid::from_u128(9));
    let page = served
        .client
        .task_list(
            Some("a b&c"),
            Some(200),
            Some("interactive"),
            Some(&project),
            Some(&session),
            Some(TaskStateFilter::CancelRequested),
        )
        .await
        .unwrap();
    assert_eq!(page.next_cursor.as_deref(), Some("next"));
    served
        .client
        .task_list(None, None, None, None, None, None)
        .await
        .unwrap();
    let listed = served.daemon.listed.lock().unwrap();
    assert_eq!(listed[0].cursor.as_deref(), Some("a b&c"));
    assert_eq!(listed[0].limit, Some(200));
    assert_eq!(listed[0].priority.as_deref(), Some("interactive"));
    assert_eq!(listed[0].project_id, Some(project));
    assert_eq!(listed[0].session_id, Some(session));
    assert_eq!(listed[0].state, Some(TaskStateFilter::CancelRequested));
    assert_eq!(listed[1].limit, None);
}

#[tokio::test]
async fn replies_without_json_have_their_own_shapes() {
    let served = Served::start().await;
    let reply = served
        .client
        .session_delete(&Uuid::from_u128(1))
        .await
        .unwrap();
    assert_eq!(reply.status, 204);
    let metrics = served.client.metrics_get().await.unwrap();
    assert_eq!(*metrics, "up 1\n");
    assert!(
        metrics
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
    let document = served.client.openapi_data_get().await.unwrap();
    assert_eq!(document["openapi"], "3.0.3");
}

#[tokio::test]
async fn a_path_parameter_survives_what_a_path_cannot_hold() {
    let served = Served::start().await;
    let error = served.client.pool_health("a/b c%ü").await.unwrap_err();
    assert_eq!(error.problem().unwrap().detail, "a/b c%ü");
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_retryable() {
    let served = Served::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = api_client::Client::new(&url).unwrap();
    let error = client.health_get().await.unwrap_err();
    assert!(matches!(error, ApiError::Unreachable { .. }), "{error:?}");
    assert!(error.retryable());
    assert!(error.to_string().contains("refused"), "{error}");
    drop(served);
}

#[tokio::test]
async fn another_server_is_named_as_such() {
    let router = axum::Router::new().fallback(async || (http::StatusCode::BAD_GATEWAY, "<html>"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let error = api_client::Client::new(&url)
        .unwrap()
        .health_get()
        .await
        .unwrap_err();
    assert!(error.retryable());
    assert_eq!(
        error.to_string(),
        "unexpected reply with status 502 and text/plain; charset=utf-8: <html>"
    );
    server.abort();
}
