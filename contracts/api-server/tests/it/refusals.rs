//! Requests that never reach an operation.

use api_server::{CONTROL_OPERATIONS, DATA_OPERATIONS};
use http::StatusCode;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::daemon::Served;

const TASK: &str = "/v1/tasks/019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a";

struct Refusal {
    status: StatusCode,
    code: String,
    allow: Option<String>,
    body: Value,
}

impl Refusal {
    async fn of(response: Response) -> Self {
        let status = response.status();
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], "application/problem+json");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["status"], status.as_u16());
        Self {
            status,
            code: body["code"].as_str().unwrap().to_owned(),
            allow: headers
                .get("allow")
                .map(|value| value.to_str().unwrap().to_owned()),
            body,
        }
    }

    /// Pointer and detail of every fault.
    fn faults(&self) -> Vec<(&str, &str)> {
        let faults = self.body["errors"].as_array().unwrap().iter();
        faults
            .map(|fault| {
                let text = |key: &str| fault[key].as_str().unwrap();
                (text("pointer"), text("detail"))
            })
            .collect()
    }
}

async fn refused(request: RequestBuilder) -> Refusal {
    Refusal::of(request.send().await.unwrap()).await
}

fn http(served: &Served) -> impl Fn(&str, &str) -> RequestBuilder {
    let client = reqwest::Client::new();
    let url = served.url.clone();
    move |method, path| client.request(method.parse().unwrap(), format!("{url}{path}"))
}

async fn refused_body(served: &Served, body: Value) -> Refusal {
    let refusal = refused(http(served)("POST", "/v1/tasks").json(&body)).await;
    assert_eq!(refusal.status, 400);
    assert_eq!(refusal.code, "INVALID_PARAMS");
    assert!(served.daemon.created.lock().unwrap().is_empty());
    refusal
}

#[tokio::test]
async fn every_fault_of_a_body_is_listed_with_its_pointer() {
    let served = Served::start().await;
    let refusal = refused_body(
        &served,
        json!({
            "input": { "kind": "prompt", "prompt": "" },
            "task_id": "not-a-uuid",
            "seed": 0,
            "max_tokens": 1.5,
            "temperature": 5.1,
            "determinism": "rough",
            "priority": "Urgent",
            "session_id": null,
            "metadata": { "a/b": 7 },
            "colour": "red",
        }),
    )
    .await;
    let mut faults = refusal.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            ("/colour", "unknown field"),
            ("/determinism", "must be one of best_effort, strict"),
            ("/input/prompt", "must not be empty"),
            ("/max_tokens", "integer is expected, this is number"),
            ("/metadata/a~1b", "string is expected, this is number"),
            ("/priority", "does not match the pattern ^[a-z][a-z0-9-]*$"),
            ("/seed", "0 is less than the minimum of 1"),
            ("/session_id", "string is expected, this is null"),
            ("/task_id", "is not a uuid"),
            ("/temperature", "5.1 is greater than the maximum of 5"),
        ]
    );
    let unknown = refusal.body["errors"].as_array().unwrap();
    let unknown = unknown
        .iter()
        .find(|fault| fault["pointer"] == "/colour")
        .unwrap();
    let hint = unknown["hint"].as_str().unwrap();
    assert!(
        hint.starts_with("the fields here are ctx, deadline_ms, determinism, "),
        "{hint}"
    );
}

#[tokio::test]
async fn a_union_names_its_kinds_and_only_the_faults_of_the_one_meant() {
    let served = Served::start().await;
    for (input, want) in [
        (
            json!({ "kind": "poem", "prompt": "x" }),
            ("/input/kind", "must be one of completion, prompt"),
        ),
        (
            json!({ "prompt": "x" }),
            ("/input/kind", "required, but missing"),
        ),
        (
            json!({ "kind": "completion" }),
            ("/input/prompt", "required, but missing"),
        ),
        (
            json!({ "kind": "prompt", "prompt": "x", "size": 1 }),
            ("/input/size", "unknown field"),
        ),
        (json!("x"), ("/input", "object is expected, this is string")),
    ] {
        let refusal = refused_body(&served, json!({ "input": input })).await;
        assert_eq!(refusal.faults(), [want]);
    }
}

#[tokio::test]
async fn what_is_not_json_is_refused_at_its_root() {
    let served = Served::start().await;
    let http = http(&served);
    for body in ["", "{", "[1,", "\u{0}", "{\"input\":1}x"] {
        let request = http("POST", "/v1/tasks")
            .header("content-type", "application/json")
            .body(body);
        let refusal = refused(request).await;
        assert_eq!(refusal.status, 400);
        let faults = refusal.faults();
        assert!(
            faults[0].0.is_empty() && faults[0].1.starts_with("not JSON"),
            "{faults:?}"
        );
    }
    let twice = "{\"input\":{\"kind\":\"prompt\",\"prompt\":\"x\"},\"seed\":1,\"seed\":2}";
    let request = http("POST", "/v1/tasks")
        .header("content-type", "application/json")
        .body(twice);
    let refusal = refused(request).await;
    assert!(refusal.faults()[0].1.starts_with("duplicate field `seed`"));
}

#[tokio::test]
async fn parameters_are_refused_with_their_place_all_at_once() {
    let served = Served::start().await;
    let path =
        "/v1/tasks?state=asleep&limit=201&limits=1&session_id=7&priority=batch&priority=batch";
    let refusal = refused(http(&served)("GET", path)).await;
    assert_eq!(refusal.status, 400);
    let mut faults = refusal.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            ("query/limit", "201 is greater than the maximum of 200"),
            ("query/limits", "unknown parameter"),
            ("query/priority", "stands there more than once"),
            (
                "query/session_id",
                "not a UUID such as 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a"
            ),
            (
                "query/state",
                "\"asleep\" is not one of cancel_requested, cancelled, completed, dispatched, \
                 failed, parked, queued, running, waiting"
            ),
        ]
    );
    for path in [
        "/v1/tasks/7",
        "/v1/tasks/%FF",
        "/v1/tasks/019a2f3c7a517c409a531f2e3d4c5b6a",
    ] {
        let refusal = refused(http(&served)("GET", path)).await;
        assert_eq!(refusal.status, 400, "{path}");
        assert_eq!(refusal.faults()[0].0, "path/id");
    }
    let request = http(&served)("GET", &format!("{TASK}/stream")).header("last-event-id", "1-xyz");
    let refusal = refused(request).await;
    assert_eq!(
        refusal.faults(),
        [(
            "header/Last-Event-ID",
            "does not match the pattern ^[0-9]{1,9}-[0-9a-f]{16}$"
        )]
    );
    assert!(served.daemon.listed.lock().unwrap().is_empty());
    assert!(served.daemon.streamed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_and_say_what_there_is() {
    let served = Served::start().await;
    let http = http(&served);
    for path in ["/", "/v1/task", "/v1/tasks/"] {
        let refusal = refused(http("GET", path)).await;
        assert_eq!(
            (refusal.status.as_u16(), refusal.code.as_str()),
            (404, "NOT_FOUND")
        );
    }
    for (method, path, allow) in [
        ("DELETE", "/v1/tasks", "GET, HEAD, OPTIONS, POST"),
        ("GET", &format!("{TASK}/cancel"), "OPTIONS, POST"),
        ("POST", &format!("{TASK}/stream"), "GET, OPTIONS"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
    ] {
        let refusal = refused(http(method, path)).await;
        assert_eq!(
            (refusal.status.as_u16(), refusal.code.as_str()),
            (405, "METHOD_NOT_ALLOWED")
        );
        assert_eq!(refusal.allow.as_deref(), Some(allow), "{method} {path}");
        let options = http("OPTIONS", path).send().await.unwrap();
        assert_eq!(options.status(), 204);
        assert_eq!(options.headers()["allow"], allow);
    }
    let head = http("HEAD", "/healthz").send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.bytes().await.unwrap().is_empty());
    // Starting a stream only to drop it would count as a reader that left.
    let head = http("HEAD", &format!("{TASK}/stream"))
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 405);
    assert!(served.daemon.streamed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn media_types_are_negotiated() {
    let served = Served::start().await;
    let http = http(&served);
    let refusal = refused(http("GET", "/v1/tasks").header("accept", "text/html")).await;
    assert_eq!(
        (refusal.status.as_u16(), refusal.code.as_str()),
        (406, "NOT_ACCEPTABLE")
    );
    let stream = format!("{TASK}/stream");
    let refusal = refused(http("GET", &stream).header("accept", "application/json")).await;
    assert_eq!(refusal.status, 406);
    let body = "{\"input\":{\"kind\":\"prompt\",\"prompt\":\"x\"}}";
    for media_type in [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("text/json"),
    ] {
        let mut request = http("POST", "/v1/tasks").body(body);
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let refusal = refused(request).await;
        assert_eq!(
            (refusal.status.as_u16(), refusal.code.as_str()),
            (415, "UNSUPPORTED_MEDIA_TYPE")
        );
    }
    assert!(served.daemon.created.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_beyond_its_limit_is_refused_however_it_is_sent() {
    let served = Served::start().await;
    let http = http(&served);
    let big = vec![b' '; 20 * 1024 * 1024];
    let announced = http("POST", "/v1/tasks")
        .header("content-type", "application/json")
        .body(big.clone());
    let chunks = big
        .chunks(64 * 1024)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()));
    let chunks: Vec<_> = chunks.collect();
    let streamed = http("POST", "/v1/tasks")
        .header("content-type", "application/json")
        .body(reqwest::Body::wrap_stream(futures_util::stream::iter(
            chunks,
        )));
    for request in [announced, streamed] {
        let refusal = refused(request).await;
        assert_eq!(
            (refusal.status.as_u16(), refusal.code.as_str()),
            (413, "BODY_TOO_LARGE")
        );
        assert_eq!(
            refusal.body["detail"],
            "the body may have at most 4194304 bytes"
        );
    }
    let mut largest = b"{\"input\":{\"kind\":\"prompt\",\"prompt\":\"\"}}".to_vec();
    largest.resize(4 * 1024 * 1024, b' ');
    let request = http("POST", "/v1/tasks")
        .header("content-type", "application/json")
        .body(largest);
    // At the limit the body is read, and then refused for what it says.
    assert_eq!(refused(request).await.faults()[0].0, "/input/prompt");
}

#[tokio::test]
async fn the_context_is_made_first_and_knows_the_operation() {
    let served = Served::start().await;
    let http = http(&served);
    let request = http("POST", "/v1/tasks?x=1")
        .header("x-banned", "1")
        .body("no json");
    let refusal = refused(request).await;
    // Media type, query and body are all wrong, yet the caller learns nothing of that.
    assert_eq!(
        (refusal.status.as_u16(), refusal.code.as_str()),
        (404, "NOT_FOUND")
    );
    let contexts = served.daemon.contexts.lock().unwrap();
    assert_eq!(contexts[0].id, "task_create");
    assert_eq!(contexts[0].tag, "tasks");
    assert!(contexts[0].req_ids.contains(&"ORCH-2001"));
}

#[test]
fn the_contract_lists_every_status_that_the_routers_answer_with() {
    for operation in DATA_OPERATIONS.iter().chain(CONTROL_OPERATIONS) {
        let takes_body = operation.body_limit_bytes > 0;
        assert_eq!(
            operation.lists(406),
            !operation.produces.is_empty(),
            "{}",
            operation.id
        );
        assert_eq!(takes_body, operation.lists(413), "{}", operation.id);
        assert_eq!(takes_body, operation.lists(415), "{}", operation.id);
        assert!(!takes_body || operation.lists(400), "{}", operation.id);
    }
}

#[test]
#[should_panic(expected = "task_get answers 413, which the contract does not list")]
fn a_status_that_the_contract_does_not_list_is_a_bug() {
    use api_server::tasks::TaskGetResponse;
    use api_types::ProblemCode;
    let _ = TaskGetResponse::from(crate::daemon::problem(413, ProblemCode::BodyTooLarge, "x"));
}
