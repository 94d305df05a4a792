//! Every problem, as people and programs are told of it.

use api_client::types::{Engine, Problem, ProblemCode, ProblemFault};
use axum::{http::StatusCode, response::Html};

use crate::{
    fixtures::{self, GAVE_UP, TASK, failure, problem},
    orch::Orch,
    script::Script,
    server::{Server, nowhere},
};

/// Status, title and detail of each code, as a daemon words them. A code that is added to the contract has to be
/// added here.
fn words(code: &ProblemCode) -> (u32, &'static str, &'static str) {
    match code {
        ProblemCode::AdmissionReject => (429, "The queue is full", "1024 tasks wait already"),
        ProblemCode::BodyTooLarge => (413, "The body is too large", "it may have 4194304 bytes"),
        ProblemCode::ContextExceeded => (
            422,
            "The prompt does not fit the context",
            "the prompt has at least 700 tokens, and the largest context that could serve it has 512; shorten the prompt",
        ),
        ProblemCode::DeadlineUnmet => (
            503,
            "The deadline cannot be met",
            "it would start in 4000 ms and take 1000 ms, so that it ends within 4600 ms with a probability of 0.012 only; give it more time, or try again later",
        ),
        ProblemCode::DecodeTimeout => (
            500,
            "The engine was silent for too long",
            "no token came for 30 s",
        ),
        ProblemCode::Forbidden => (
            403,
            "Not allowed",
            "this needs a key with the scope `operator`, and key 5f0c9a3be1d27448 has: user",
        ),
        ProblemCode::Internal => (500, "The daemon has a fault", "this cannot happen, and did"),
        ProblemCode::InvalidParams => (400, "The request has faults", "3 faults; see errors"),
        ProblemCode::KeyConflict => (
            409,
            "The key cannot be changed so",
            "it is the last one in force that may manage keys",
        ),
        ProblemCode::MethodNotAllowed => (405, "The path has no such method", "it takes GET"),
        ProblemCode::ModelUnknown => (422, "No pool serves this model", "served are: haiku-tiny"),
        ProblemCode::NotAcceptable => (406, "No acceptable media type", "it is application/json"),
        ProblemCode::NotFound => (404, "There is nothing here", "there is no such task"),
        ProblemCode::NotReady => (503, "Not ready", "1 thing is missing; see errors"),
        ProblemCode::PoolUnavailable => (503, "The pool gave up", GAVE_UP),
        ProblemCode::QueueFullDropLru
        | ProblemCode::QueueFullShed
        | ProblemCode::QuotaConflict
        | ProblemCode::QuotaExceeded
        | ProblemCode::QuotaUnenforceable
        | ProblemCode::QuotaUnmeetable => limit_words(code),
        ProblemCode::ReplicaSetGone => (
            503,
            "The replicas that began the text are gone",
            "none of b1946ac9 is left",
        ),
        ProblemCode::RequestTimeout => (
            408,
            "The body took too long",
            "the body did not come whole within 30000 ms, and nothing was done",
        ),
        ProblemCode::StoreUnavailable => (503, "The store does not answer", "the disk is full"),
        ProblemCode::IdempotencyMismatch
        | ProblemCode::SessionExhausted
        | ProblemCode::StreamDiverged
        | ProblemCode::TaskEnded
        | ProblemCode::TaskIdConflict => words_of_conflict(code),
        ProblemCode::TriesExceeded => (
            429,
            "Too many failed tries",
            "too many keys from this address were refused",
        ),
        ProblemCode::Unauthorized => (401, "Not known", "this needs a key"),
        ProblemCode::UnsupportedMediaType => (415, "Another media type", "send JSON"),
        ProblemCode::WorkerReset => (500, "The engine broke off", "it was lost 3 times"),
        ProblemCode::Unknown(_) => (403, "A problem", "of a later version"),
    }
}

/// The same, of what has happened already.
fn words_of_conflict(code: &ProblemCode) -> (u32, &'static str, &'static str) {
    match code {
        ProblemCode::IdempotencyMismatch => (
            422,
            "The idempotency key is taken",
            "the idempotency key stands for task 019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a, which another request made; use a new key, or repeat that request unchanged",
        ),
        ProblemCode::SessionExhausted => (
            409,
            "The session is used up",
            "it has had its 8 turns; begin another session",
        ),
        ProblemCode::StreamDiverged => (
            409,
            "The text is not the one that was read before",
            "a replay differs",
        ),
        ProblemCode::TaskEnded => (409, "The task has ended", "it is completed already"),
        _ => (409, "The task id is taken", "with another body"),
    }
}

fn limit_words(code: &ProblemCode) -> (u32, &'static str, &'static str) {
    match code {
        ProblemCode::QueueFullDropLru => (
            429,
            "Dropped from a full queue",
            "the queue of its class was full when task 019a2f3c-7a51-7c40-9a53-000000000001 came",
        ),
        ProblemCode::QueueFullShed => (
            429,
            "Dropped for more urgent work",
            "the queue was full when the more urgent task 019a2f3c-7a51-7c40-9a53-000000000001 came",
        ),
        ProblemCode::QuotaConflict => (
            409,
            "The quota was changed meanwhile",
            "the quota of tenant acme is at revision 2, and revision 1 was to be replaced",
        ),
        ProblemCode::QuotaExceeded => (
            429,
            "A quota is used up",
            "tokens_per_min of the tenant is 600, of which 0 are left, and this takes 266 tokens",
        ),
        ProblemCode::QuotaUnenforceable => (
            409,
            "Nothing could hold this quota",
            "these pools do not tell how much cache a token takes: default",
        ),
        _ => (
            422,
            "More than a quota allows at all",
            "this takes 2000 tokens, and tokens_per_min of the tenant is 600, so that no wait helps",
        ),
    }
}

/// A problem of each code, with the members that daemons add to it.
fn example(code: &ProblemCode) -> Problem {
    let (status, title, detail) = words(code);
    let mut problem = problem(code.clone(), status, title, detail);
    let text = |text: &str| Some(text.to_owned());
    match code {
        ProblemCode::AdmissionReject => {
            problem.retriable = true;
            problem.retry_after_ms = Some(1_500);
            problem.policy_label = text("reject");
            problem.limit_name = text("queue.interactive.capacity");
        }
        ProblemCode::BodyTooLarge => problem.limit_name = text("body_limit_bytes"),
        ProblemCode::DeadlineUnmet => {
            problem.retriable = true;
            problem.retry_after_ms = Some(400);
            problem.limit_name = text("queue.deadline_confidence_permille");
        }
        ProblemCode::InvalidParams => {
            problem.errors = Some(vec![
                fault(
                    "/seed",
                    "0 is less than the minimum of 1",
                    Some("leave seed out to have one derived"),
                ),
                fault("/top_p", "2 is greater than the maximum of 1", None),
                fault("", "no JSON: expected value at line 1 column 1", None),
            ]);
        }
        ProblemCode::NotReady => {
            problem.retry_after_ms = Some(1_000);
            problem.errors = Some(vec![fault(
                "pool.default",
                "no replica is ready",
                Some("`orch pools` shows them"),
            )]);
        }
        ProblemCode::TriesExceeded => {
            problem.retriable = true;
            problem.retry_after_ms = Some(6_000);
            problem.limit_name = text("keys.failed_tries");
        }
        ProblemCode::RequestTimeout => {
            problem.retriable = true;
            problem.limit_name = text("server.body_timeout_ms");
        }
        ProblemCode::SessionExhausted => problem.limit_name = text("session.turns_max"),
        ProblemCode::StoreUnavailable => {
            problem.retry_after_ms = Some(1_000);
            problem.task_id = Some(TASK);
        }
        ProblemCode::IdempotencyMismatch | ProblemCode::TaskIdConflict => {
            problem.task_id = Some(TASK)
        }
        _ => {}
    }
    problem
}

fn fault(pointer: &str, detail: &str, hint: Option<&str>) -> ProblemFault {
    ProblemFault {
        pointer: pointer.to_owned(),
        detail: detail.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

/// The problem by which a task of this fault ends its stream.
fn frame(code: &ProblemCode) -> Problem {
    let (status, title, detail) = words(code);
    let policy = match code {
        ProblemCode::QueueFullDropLru => Some("drop-lru"),
        ProblemCode::QueueFullShed => Some("shed-low-priority"),
        _ => None,
    };
    Problem {
        instance: None,
        engine: policy.is_none().then_some(Engine::Llamacpp),
        retriable: *code != ProblemCode::ContextExceeded && *code != ProblemCode::PoolUnavailable,
        policy_label: policy.map(str::to_owned),
        limit_name: policy.map(|_| "queue.batch.capacity".to_owned()),
        task_id: Some(TASK),
        ..problem(code.clone(), status, title, detail)
    }
}

/// How a failed task's stream ends.
async fn told_in_stream(code: &ProblemCode) -> String {
    let server = Server::start(Script::streaming(vec![failure(frame(code))])).await;
    Orch::at(&server.url)
        .run(&["task", "stream", &TASK.to_string()])
        .await
        .shown()
}

/// What is told of a refused request.
async fn told(code: &ProblemCode) -> String {
    let server = Server::refusing(example(code)).await;
    Orch::at(&server.url)
        .run(&["task", "get", &TASK.to_string()])
        .await
        .shown()
}

#[tokio::test]
async fn every_code_tells_title_reason_knob_and_what_to_do() {
    for code in ProblemCode::ALL {
        match code {
            // These are told of tasks only, and never answer a request.
            ProblemCode::DecodeTimeout
            | ProblemCode::QueueFullDropLru
            | ProblemCode::QueueFullShed
            | ProblemCode::ReplicaSetGone
            | ProblemCode::StreamDiverged
            | ProblemCode::WorkerReset => {
                insta::assert_snapshot!(format!("code_{code}"), told_in_stream(code).await);
            }
            _ => insta::assert_snapshot!(format!("code_{code}"), told(code).await),
        }
    }
}

#[tokio::test]
async fn what_refuses_a_request_can_end_a_task_too() {
    for code in [ProblemCode::ContextExceeded, ProblemCode::PoolUnavailable] {
        insta::assert_snapshot!(
            format!("code_{code}_in_a_stream"),
            told_in_stream(&code).await
        );
    }
}

#[tokio::test]
async fn a_code_of_a_later_version_is_told_by_its_status() {
    let code: ProblemCode = "SPELL_BROKEN".parse().unwrap();
    insta::assert_snapshot!(told(&code).await);
    let retriable = Problem {
        retriable: true,
        status: 503,
        ..example(&code)
    };
    let server = Server::refusing(retriable).await;
    insta::assert_snapshot!(Orch::at(&server.url).run(&["status"]).await.shown());
}

#[tokio::test]
async fn a_single_fault_is_told_once() {
    let mut problem = example(&ProblemCode::InvalidParams);
    problem.errors = Some(vec![fault(
        "query/limit",
        "0 is less than the minimum of 1",
        None,
    )]);
    problem.detail = "query/limit: 0 is less than the minimum of 1".to_owned();
    let server = Server::refusing(problem).await;
    insta::assert_snapshot!(Orch::at(&server.url).run(&["task", "list"]).await.shown());
}

#[tokio::test]
async fn what_refuses_one_part_of_a_request_is_told_once() {
    let mut problem = example(&ProblemCode::DeadlineUnmet);
    problem.errors = Some(vec![fault("/deadline_ms", &problem.detail, None)]);
    let server = Server::refusing(problem).await;
    let ran = Orch::at(&server.url).run(&["run", "x"]).await;
    insta::assert_snapshot!(ran.shown());
}

#[tokio::test]
async fn programs_get_the_problem_itself_on_standard_error() {
    let problem = example(&ProblemCode::AdmissionReject);
    let server = Server::refusing(problem.clone()).await;
    let ran = Orch::at(&server.url)
        .run(&["task", "create", "x", "-o", "json"])
        .await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), ""));
    let told: Problem = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(told, problem);
}

#[tokio::test]
async fn what_a_server_says_cannot_drive_the_terminal() {
    let evil = problem(ProblemCode::NotFound, 404, "\x1b[2Jgone", "a\r\nb\x07");
    let server = Server::refusing(evil).await;
    let ran = Orch::at(&server.url)
        .run(&["task", "get", &TASK.to_string()])
        .await;
    assert!(
        ran.stderr.contains("�[2Jgone") && ran.stderr.contains("b�"),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains(['\x1b', '\r', '\x07']), "{ran:?}");
}

#[tokio::test]
async fn an_unreachable_server_is_told_with_who_named_it_and_how_to_start_one() {
    let ran = Orch::at(&nowhere()).run(&["task", "list"]).await;
    insta::assert_snapshot!(ran.shown());
    let ran = Orch::at(&nowhere())
        .run(&["task", "list", "-o", "json"])
        .await;
    insta::assert_snapshot!(ran.shown());
}

#[tokio::test]
async fn something_else_than_a_daemon_is_told_apart() {
    let page = Server::answering(|| (StatusCode::NOT_FOUND, Html("<h1>Not here</h1>"))).await;
    insta::assert_snapshot!(Orch::at(&page.url).run(&["task", "list"]).await.shown());
    let fine = Server::answering(|| Html("<h1>Welcome</h1>")).await;
    insta::assert_snapshot!(Orch::at(&fine.url).run(&["task", "list"]).await.shown());
    let guard = Server::answering(|| (StatusCode::UNAUTHORIZED, "who are you?")).await;
    insta::assert_snapshot!(Orch::at(&guard.url).run(&["task", "list"]).await.shown());
}

#[tokio::test]
async fn urls_that_cannot_be_used_are_usage_faults() {
    for (name, url) in [
        ("tls", "https://orchestrator.example"),
        ("no_scheme", "localhost:8484"),
        ("no_url", "8484"),
    ] {
        let ran = Orch::new().run(&["task", "list", "--server", url]).await;
        insta::assert_snapshot!(format!("url_{name}"), ran.shown());
    }
}

#[tokio::test]
async fn a_missing_pool_is_not_found() {
    let server = Server::start(Script::default()).await;
    let ran = Orch::at(&server.url).run(&["pools", "none"]).await;
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(
        ran.stderr.contains(&fixtures::not_found().detail),
        "{ran:?}"
    );
}
