//! What does not fit the contract is refused at the door: with status, code, and a pointer to every fault, and
//! nothing has changed afterwards.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::picture::Picture;
use crate::raw::{Answer, Raw, send};
use crate::world::{World, plain, with};

/// A request that must be refused.
struct Refused {
    /// What is wrong with it.
    what: &'static str,
    request: RequestBuilder,
    status: u16,
    code: &'static str,
    /// Where the faults stand.
    pointers: Vec<&'static str>,
    /// Headers of the reply, besides those of every problem.
    headers: Vec<(&'static str, &'static str)>,
}

impl Refused {
    fn new(what: &'static str, request: RequestBuilder, status: u16, code: &'static str) -> Self {
        Self {
            what,
            request,
            status,
            code,
            pointers: Vec::new(),
            headers: Vec::new(),
        }
    }

    fn at(mut self, pointers: &[&'static str]) -> Self {
        self.pointers = pointers.to_vec();
        self
    }

    fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    async fn check(self) {
        let correlation = format!("door-{}", Uuid::new_v4());
        let request = self.request.header("x-correlation-id", &correlation);
        let answer = send(request).await;
        let seen = (answer.status, answer.problem()["code"].clone());
        assert_eq!(
            seen,
            (self.status, json!(self.code)),
            "{}: {}",
            self.what,
            answer.text()
        );
        assert_eq!(answer.pointers(), self.pointers, "{}", self.what);
        assert_eq!(
            answer.header("x-correlation-id"),
            Some(correlation.as_str()),
            "{}",
            self.what
        );
        let problem = answer.problem();
        assert_eq!(problem["retriable"], false, "{}: {problem}", self.what);
        for (name, value) in self.headers {
            assert_eq!(answer.header(name), Some(value), "{}", self.what);
        }
    }
}

/// Bodies that are no task.
fn bodies(raw: &Raw) -> Vec<Refused> {
    let post = |body: &Value| raw.request("POST", "/v1/tasks").json(body);
    let text = |body: &'static str| {
        raw.request("POST", "/v1/tasks")
            .header("content-type", "application/json")
            .body(body)
    };
    let invalid = |what, body: Value| Refused::new(what, post(&body), 400, "INVALID_PARAMS");
    let prompt = |prompt: Value| json!({ "input": { "kind": "prompt", "prompt": prompt } });
    vec![
        Refused::new("not JSON", text("{\"input\": "), 400, "INVALID_PARAMS").at(&[""]),
        Refused::new("no body", text(""), 400, "INVALID_PARAMS").at(&[""]),
        Refused::new("not UTF-8", text("\"\u{0}"), 400, "INVALID_PARAMS").at(&[""]),
        invalid("not an object", json!([])).at(&[""]),
        invalid("no input", json!({})).at(&["/input"]),
        invalid("a prompt of another type", prompt(json!(5))).at(&["/input/prompt"]),
        invalid("an empty prompt", prompt(json!(""))).at(&["/input/prompt"]),
        invalid("an unknown field", with(plain(), "prio", "batch")).at(&["/prio"]),
        invalid(
            "an unknown field of the input",
            json!({ "input": { "kind": "prompt", "prompt": "x", "tone": "dry" } }),
        )
        .at(&["/input/tone"]),
        invalid("seed 0", with(plain(), "seed", 0)).at(&["/seed"]),
        invalid("seed -5", with(plain(), "seed", -5)).at(&["/seed"]),
        invalid("a seed with a fraction", with(plain(), "seed", 1.5)).at(&["/seed"]),
        invalid(
            "max_tokens of another type",
            with(plain(), "max_tokens", "many"),
        )
        .at(&["/max_tokens"]),
        invalid("no tokens at all", with(plain(), "max_tokens", 0)).at(&["/max_tokens"]),
        invalid(
            "a field that is null",
            with(plain(), "model_ref", Value::Null),
        )
        .at(&["/model_ref"]),
        invalid(
            "an engine that there is none of",
            with(plain(), "engine", "quantum"),
        )
        .at(&["/engine"]),
        invalid("a task id that is none", with(plain(), "task_id", "7")).at(&["/task_id"]),
        invalid(
            "three faults at once",
            with(with(with(plain(), "seed", 0), "temperature", 9), "prio", 1),
        )
        .at(&["/prio", "/seed", "/temperature"]),
    ]
}

/// Requests that never come to their body, or have none.
fn heads(raw: &Raw, ended: &Uuid) -> Vec<Refused> {
    let task = format!("/v1/tasks/{ended}");
    let get = |path: &str| raw.request("GET", path);
    let invalid = |what, path: &str| Refused::new(what, get(path), 400, "INVALID_PARAMS");
    let too_long = "x".repeat(20 * 1024 * 1024);
    let stream = |id: &str| raw.stream(ended, Some(id));
    let allowed = "METHOD_NOT_ALLOWED";
    vec![
        Refused::new(
            "a body of 20 MB",
            raw.request("POST", "/v1/tasks")
                .json(&json!({ "input": { "kind": "prompt", "prompt": too_long } })),
            413,
            "BODY_TOO_LARGE",
        ),
        Refused::new(
            "text for JSON",
            raw.request("POST", "/v1/tasks").body(plain().to_string()),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        Refused::new("a path of nobody", get("/v1/cats"), 404, "NOT_FOUND"),
        Refused::new(
            "DELETE on the list",
            raw.request("DELETE", "/v1/tasks"),
            405,
            allowed,
        )
        .with_header("allow", "GET, HEAD, OPTIONS, POST"),
        Refused::new("PUT on a task", raw.request("PUT", &task), 405, allowed)
            .with_header("allow", "GET, HEAD, OPTIONS"),
        Refused::new(
            "GET on a cancel",
            get(&format!("{task}/cancel")),
            405,
            allowed,
        )
        .with_header("allow", "OPTIONS, POST"),
        Refused::new(
            "a list as a page",
            get("/v1/tasks").header("accept", "text/html"),
            406,
            "NOT_ACCEPTABLE",
        ),
        Refused::new(
            "a stream as JSON",
            raw.stream(ended, None).header("accept", "application/json"),
            406,
            "NOT_ACCEPTABLE",
        ),
        invalid("an id that is none", "/v1/tasks/seven").at(&["path/id"]),
        invalid("an unknown parameter", "/v1/tasks?colour=red").at(&["query/colour"]),
        invalid("a page of nothing", "/v1/tasks?limit=0").at(&["query/limit"]),
        invalid("too long a page", "/v1/tasks?limit=201").at(&["query/limit"]),
        invalid("an unknown state", "/v1/tasks?state=lost").at(&["query/state"]),
        invalid("no cursor of ours", "/v1/tasks?cursor=next").at(&["query/cursor"]),
        Refused::new(
            "garbage for an event id",
            stream("garbage"),
            400,
            "INVALID_PARAMS",
        )
        .at(&["header/Last-Event-ID"]),
        Refused::new("half an event id", stream("3-"), 400, "INVALID_PARAMS")
            .at(&["header/Last-Event-ID"]),
    ]
}

/// Things that there are none of.
fn strangers(raw: &Raw) -> Vec<Refused> {
    let nobody = Uuid::new_v4();
    let missing = |what, method: &str, path: String| {
        Refused::new(what, raw.request(method, &path), 404, "NOT_FOUND")
    };
    vec![
        missing("no such task", "GET", format!("/v1/tasks/{nobody}")),
        missing(
            "no task to cancel",
            "POST",
            format!("/v1/tasks/{nobody}/cancel"),
        ),
        missing(
            "no task to watch",
            "GET",
            format!("/v1/tasks/{nobody}/stream"),
        ),
        missing("no such session", "GET", format!("/v1/sessions/{nobody}")),
        missing(
            "no session to end",
            "DELETE",
            format!("/v1/sessions/{nobody}"),
        ),
        missing("no such pool", "GET", "/v1/pools/nobody/health".to_owned()),
    ]
}

#[tokio::test]
async fn what_does_not_fit_the_contract_is_refused_and_changes_nothing() {
    let world = World::ready().await;
    let ended = world.create(with(plain(), "max_tokens", 2)).await.task_id;
    world.raw.story(&ended).await;
    world.until_idle("default").await;
    let before = Picture::take(&world).await;
    let cases = bodies(&world.raw)
        .into_iter()
        .chain(heads(&world.raw, &ended))
        .chain(strangers(&world.raw));
    for case in cases {
        let what = case.what;
        case.check().await;
        assert_eq!(Picture::take(&world).await, before, "{what}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_with_its_limit() {
    let world = World::with(Default::default());
    let body = "x".repeat(4 * 1024 * 1024 + 1);
    let answer = send(
        world
            .raw
            .request("POST", "/v1/tasks")
            .header("content-type", "application/json")
            .body(body),
    )
    .await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.problem()["limit_name"], "body_limit_bytes");
}

#[tokio::test]
async fn every_reply_carries_a_correlation_id() {
    let world = World::ready().await;
    let ask = async |given: Option<&str>| -> Answer {
        let request = world.raw.request("GET", "/v1/capabilities");
        send(match given {
            None => request,
            Some(id) => request.header("x-correlation-id", id),
        })
        .await
    };
    let id_of = |answer: &Answer| answer.header("x-correlation-id").unwrap().to_owned();

    assert_eq!(id_of(&ask(Some("mine-1")).await), "mine-1");
    let (one, other) = (id_of(&ask(None).await), id_of(&ask(None).await));
    assert_ne!(one, other);
    for unfit in ["two words", &"x".repeat(200), ""] {
        let minted = id_of(&ask(Some(unfit)).await);
        assert!(minted != unfit && !minted.is_empty(), "{unfit}: {minted}");
    }

    let created = send(
        world
            .raw
            .request("POST", "/v1/tasks")
            .header("x-correlation-id", "mine-2")
            .json(&plain()),
    )
    .await;
    assert_eq!((created.status, &*id_of(&created)), (202, "mine-2"));
    assert_eq!(created.json()["correlation_id"], "mine-2");
}
