//! What a session may use: told with each task, held to exactly, and given back for what never ran.

use api_client::types::TaskState;
use serde_json::{Value, json};
use test_harness_support::DaemonOptions;
use uuid::Uuid;

use crate::contract::published;
use crate::raw::{Answer, Frames, data};
use crate::world::{World, exactly, with};

const PRICED: &str = "
    [[pool]]
    id = \"slow\"
    max_tokens_per_second = 50.0
    price_micros_per_ktoken = 2000
";

fn of(session: Uuid, tokens: u32, budget: Option<Value>) -> Value {
    let body = with(exactly(tokens, 1), "session_id", session.to_string());
    match budget {
        Some(budget) => with(body, "session_budget", budget),
        None => body,
    }
}

fn left(answer: &Answer, name: &str) -> Option<u64> {
    let header = answer.header(name)?;
    Some(header.parse().unwrap())
}

const TOKENS: &str = "x-budget-tokens-remaining";

#[tokio::test]
async fn a_session_uses_what_it_was_given_and_no_more() {
    let mut world = World::ready_with(DaemonOptions::default().config(PRICED)).await;
    let session = Uuid::new_v4();
    let path = format!("/v1/sessions/{session}");
    let budget = json!({ "tokens": 500, "cost_micros": 1000 });
    let first = world.raw.create(&of(session, 400, Some(budget))).await;
    assert_eq!(first.status, 202, "{}", first.text());
    let running: Uuid = first.json()["task_id"].as_str().unwrap().parse().unwrap();
    let prompt = world.task(&running).await.input.tokens_estimate;
    assert_eq!(left(&first, TOKENS), Some(100 - prompt));
    let cost = left(&first, "x-budget-cost-remaining-micros");
    assert_eq!(cost, Some(2 * (100 - prompt)));
    assert_eq!(left(&first, "x-budget-time-remaining-ms"), None);

    let refused = world.raw.create(&of(session, 100, None)).await;
    assert_eq!(refused.status, 409);
    let problem = refused.problem();
    assert_eq!(problem["code"], "SESSION_EXHAUSTED", "{problem}");
    assert_eq!(problem["limit_name"], "session_budget.tokens", "{problem}");
    assert_eq!(refused.pointers(), ["/session_id"]);
    let id = problem["correlation_id"].as_str().unwrap();
    let why = world.raw.get(&format!("/v1/refusals/{id}")).await.json();
    assert_eq!(why["blocked_by"], "session", "{why}");

    // What waits and is cancelled costs nothing.
    let waits = world.raw.create(&of(session, 20, None)).await;
    assert_eq!(left(&waits, TOKENS), Some(100 - prompt - prompt - 20));
    let waits: Uuid = waits.json()["task_id"].as_str().unwrap().parse().unwrap();
    world.raw.cancel(&waits).await;
    let now = world.raw.get(&path).await.json();
    assert_eq!(now["tokens_budget_remaining"], 100 - prompt);

    // What ran costs its prompt and what it said, also over a restart.
    world.raw.cancel(&running).await;
    let ended = world.until_state(&running, TaskState::Cancelled).await;
    let used = prompt + ended.stream_position;
    world.daemon.terminate();
    world.restart().await;
    let now = world.raw.get(&path).await.json();
    assert_eq!(now["tokens_spent"], used, "{now}");
    assert_eq!(now["tokens_budget_remaining"], 500 - used, "{now}");
    assert_eq!(now["cost_spent_micros"], 2 * used, "{now}");
}

/// Reads a stream on until it tells that so many tokens are left, and what they cost. It tells other things too, as the
/// place of the task, and with each what is left at the time.
async fn until_told(frames: &mut Frames, left: u64) {
    loop {
        let metrics = frames.up_to("metrics").await;
        let told = data(metrics.last().unwrap());
        assert_eq!(told.get("time_budget_remaining_ms"), None, "is not limited");
        let tokens = told["tokens_budget_remaining"].as_u64().unwrap();
        assert_eq!(told["cost_budget_remaining_micros"], 2 * tokens, "{told}");
        if tokens == left {
            return;
        }
    }
}

#[tokio::test]
async fn a_stream_tells_what_is_left_of_the_budget_whenever_that_changes() {
    // So slow that the first task outlasts the whole test and the second never begins: each change stands until the
    // stream has told of it, and none is undone between two looks.
    let slow = PRICED.replace("50.0", "5.0");
    let world = World::ready_with(DaemonOptions::default().config(&slow)).await;
    let session = Uuid::new_v4();
    let budget = json!({ "tokens": 1_000, "cost_micros": 2_000 });
    let first = world.raw.create(&of(session, 400, Some(budget))).await;
    let id: Uuid = first.json()["task_id"].as_str().unwrap().parse().unwrap();
    let prompt = world.task(&id).await.input.tokens_estimate;
    let left = 1_000 - 400 - prompt;
    let mut frames = world.raw.open(&id, None).await;
    until_told(&mut frames, left).await;
    // Another task of the session reserves what it may use, and gives it back.
    let second = world.raw.create(&of(session, 20, None)).await;
    let second: Uuid = second.json()["task_id"].as_str().unwrap().parse().unwrap();
    until_told(&mut frames, left - prompt - 20).await;
    world.raw.cancel(&second).await;
    until_told(&mut frames, left).await;
    // So does a new limit.
    let put = json!({ "budget": { "tokens": 500, "cost_micros": 1_000 } });
    let path = format!("/v1/sessions/{session}");
    assert_eq!(world.raw.put(&path, &put).await.status, 200);
    until_told(&mut frames, left - 500).await;
    world.raw.cancel(&id).await;
    let rest = frames.rest().await;
    assert_eq!(rest.last().unwrap().name, "end");
}

#[tokio::test]
async fn a_budget_without_a_session_is_a_fault_of_the_request() {
    let world = World::ready().await;
    let body = with(exactly(1, 1), "session_budget", json!({ "tokens": 5 }));
    let refused = world.raw.create(&body).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.problem()["code"], "INVALID_PARAMS");
    assert_eq!(refused.pointers(), ["/session_budget"]);
}

#[tokio::test]
async fn a_session_is_put_before_its_first_task_by_its_tenant_and_outlives_the_daemon() {
    let mut world = World::keyed().await;
    let mine = world.raw.get("/v1/whoami").await.json()["key_id"].clone();
    let session = Uuid::new_v4();
    let path = format!("/v1/sessions/{session}");
    let put = published(&world, "session_put").await;
    let body = json!({ "budget": { "tokens": 300, "time_ms": 60_000 }, "ttl_ms": 3_600_000 });
    let answer = world.raw.put(&path, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    put.check(&answer);
    let told = answer.json();
    assert_eq!((&told["turns"], &told["put_by"]), (&json!(0), &mine));
    assert_eq!(told["budget"], body["budget"]);
    assert_eq!(
        (&told["ttl_ms"], &told["tokens_budget_remaining"]),
        (&json!(3_600_000), &json!(300))
    );
    assert!(
        told["put_at_ms"].as_u64() > Some(1_700_000_000_000),
        "{told}"
    );
    world.daemon.terminate();
    world.restart().await;
    let kept = world.raw.get(&path).await.json();
    for same in ["budget", "put_at_ms", "put_by", "ttl_ms", "turns"] {
        assert_eq!(kept[same], told[same], "{same}");
    }
    assert_eq!(world.raw.create(&of(session, 400, None)).await.status, 409);
    let first = world.raw.create(&of(session, 10, None)).await;
    assert_eq!(first.status, 202, "{}", first.text());
    assert!(left(&first, TOKENS) < Some(300));

    // A limit below what is used is no fault; it is the next task that is refused.
    let id: Uuid = first.json()["task_id"].as_str().unwrap().parse().unwrap();
    let lower = world
        .raw
        .put(&path, &json!({ "budget": { "tokens": 1 } }))
        .await;
    assert_eq!(lower.status, 200, "{}", lower.text());
    assert_eq!(lower.json()["tokens_budget_remaining"], 0);
    world.until_state(&id, TaskState::Completed).await;
    let refused = world.raw.create(&of(session, 1, None)).await;
    assert_eq!(refused.problem()["code"], "SESSION_EXHAUSTED");

    // Of another tenant it is not, under the same id.
    let other = json!({ "name": "other", "scopes": ["user"], "tenant": "other" });
    let other = world.raw.post("/v1/keys", &other).await.json();
    let other = world.raw.with_key(other["api_key"].as_str().unwrap());
    assert_eq!(other.get(&path).await.status, 404);
    assert_eq!(
        other.put(&path, &json!({})).await.json()["budget"],
        json!({})
    );
    assert_eq!(
        world.raw.get(&path).await.json()["budget"],
        json!({ "tokens": 1 })
    );
}

#[tokio::test]
async fn what_a_session_cannot_be_is_refused_with_its_place() {
    let world = World::ready().await;
    let path = format!("/v1/sessions/{}", Uuid::new_v4());
    for (body, pointer) in [
        (json!({ "budget": { "tokens": 0 } }), "/budget/tokens"),
        (
            json!({ "budget": { "time_ms": 31_536_000_001_u64 } }),
            "/budget/time_ms",
        ),
        (json!({ "ttl_ms": 999 }), "/ttl_ms"),
        (json!({ "ttl_ms": 86_400_001 }), "/ttl_ms"),
        (json!({ "turns_max": 3 }), "/turns_max"),
    ] {
        let refused = world.raw.put(&path, &body).await;
        assert_eq!(refused.status, 400, "{body}");
        assert_eq!(refused.pointers(), [pointer]);
    }
    assert_eq!(world.raw.get(&path).await.status, 404, "nothing was made");
}
