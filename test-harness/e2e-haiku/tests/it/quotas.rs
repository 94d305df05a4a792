//! Quotas: each limit refuses before the queue, in words, figures and headers that agree, and forgets nothing.

use api_client::types::TaskState;
use serde_json::{Value, json};
use test_harness_support::DaemonOptions;
use uuid::Uuid;

use crate::raw::{Answer, Raw};
use crate::world::{World, exactly, throttle, with};

const DEFAULT: &str = "/v1/quotas/tenant/default";

/// Engines are slow and tell how much cache a token takes.
const TOLD: &str = "
    [[pool]]
    id = \"slow\"
    max_tokens_per_second = 10.0
    kv_bytes_per_token = 10000
";

impl World {
    /// Puts a quota in the place of the one there is; what it is then.
    async fn put_quota(&self, path: &str, mut quota: Value) -> Value {
        let there = self.raw.get(path).await.json();
        quota["revision"] = there["revision"].clone();
        let answer = put(&self.raw, path, &quota).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    async fn used(&self, path: &str) -> Value {
        self.raw.get(path).await.json()["used"].clone()
    }
}

async fn put(raw: &Raw, path: &str, body: &Value) -> Answer {
    crate::raw::send(raw.request("PUT", path).json(body)).await
}

/// A refusal for want of room: body and headers agree. The problem, and the milliseconds to wait.
fn exceeded(answer: &Answer, limit: &str) -> (Value, u64) {
    let problem = answer.problem();
    assert_eq!(answer.status, 429, "{problem}");
    assert_eq!(problem["code"], "QUOTA_EXCEEDED", "{problem}");
    assert_eq!(problem["limit_name"], limit, "{problem}");
    assert_eq!(problem["retriable"], true, "{problem}");
    let figure = |member: &str| problem[member].as_u64().unwrap();
    let wait = figure("retry_after_ms");
    let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
    assert!(wait > 0, "{problem}");
    assert_eq!(header("x-backoff-ms"), wait.to_string());
    let seconds = wait.div_ceil(1_000);
    assert_eq!(header("retry-after"), seconds.to_string());
    let left = figure("limit_left");
    assert_eq!(
        header("ratelimit"),
        format!("\"{limit}\";r={left};t={seconds}")
    );
    let window = problem["limit_window_s"].as_u64();
    let window = window
        .map(|window| format!(";w={window}"))
        .unwrap_or_default();
    let max = figure("limit_max");
    assert_eq!(
        header("ratelimit-policy"),
        format!("\"{limit}\";q={max}{window}")
    );
    (problem, wait)
}

fn code(answer: &Answer) -> (u16, String) {
    let problem = answer.problem();
    (answer.status, problem["code"].as_str().unwrap().to_owned())
}

/// A task whose prompt is estimated at 7 tokens and that says so many.
fn tokens(tokens: u32) -> Value {
    exactly(tokens - 7, 1)
}

#[tokio::test]
async fn live_tasks_are_bounded_and_a_refusal_leaves_nothing() {
    let world = World::throttled(10.0).await;
    world
        .put_quota(DEFAULT, json!({ "tasks_live_max": 2 }))
        .await;
    let first = world.create(exactly(300, 1)).await.task_id;
    let second = world.create(exactly(300, 1)).await.task_id;
    let id = Uuid::new_v4();
    let body = with(exactly(2, 1), "task_id", id.to_string());
    let (problem, _) = exceeded(&world.raw.create(&body).await, "tasks_live_max");
    assert_eq!(
        (&problem["limit_max"], &problem["limit_left"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(problem.get("limit_window_s"), None);
    assert_eq!(world.raw.get(&format!("/v1/tasks/{id}")).await.status, 404);
    assert_eq!(world.used(DEFAULT).await["tasks_live"], 2);
    let refusals = world.metrics().await;
    let of = |name: &str, label: &str, value: &str| refusals.sum_where(name, label, value);
    assert_eq!(
        of("quota_refusals_total", "limit_name", "tasks_live_max"),
        1.0
    );
    assert_eq!(of("tasks_rejected_total", "reason", "QUOTA_EXCEEDED"), 1.0);

    world.raw.cancel(&second).await;
    let accepted = world.raw.create(&body).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    world.raw.cancel(&first).await;
    world.until_state(&id, TaskState::Completed).await;
    assert_eq!(world.used(DEFAULT).await["tasks_live"], 0);
}

#[tokio::test]
async fn requests_are_bounded_in_rate_and_the_wait_that_is_told_is_long_enough() {
    let world = World::ready().await;
    let quota = json!({ "requests_per_s": 1, "burst": 2 });
    world.put_quota(DEFAULT, quota).await;
    world.create(exactly(2, 1)).await;
    world.create(exactly(2, 1)).await;
    let (problem, wait) = exceeded(&world.raw.create(&exactly(2, 1)).await, "requests_per_s");
    assert_eq!(problem["limit_max"], 2);
    assert_eq!(problem["limit_window_s"], 2);
    assert!(wait <= 1_000, "{problem}");
    let later = crate::world::eventually("there is room again", async || {
        let answer = world.raw.create(&exactly(2, 1)).await;
        (answer.status == 202).then_some(())
    });
    later.await;
}

#[tokio::test]
async fn tokens_are_reserved_settled_and_given_back_and_a_restart_forgets_nothing() {
    let mut world = World::ready_with(throttle(20.0)).await;
    world
        .put_quota(DEFAULT, json!({ "tokens_per_min": 600 }))
        .await;
    let long = world.create(tokens(400)).await.task_id;
    let used = world.used(DEFAULT).await;
    assert_eq!(
        (&used["tokens_reserved"], &used["tokens_used"]),
        (&json!(400), &json!(0))
    );
    let (problem, _) = exceeded(&world.raw.create(&tokens(201)).await, "tokens_per_min");
    assert_eq!(
        (&problem["limit_left"], &problem["limit_window_s"]),
        (&json!(200), &json!(60))
    );
    let waiting = world.raw.create(&tokens(200)).await;
    assert_eq!(waiting.status, 202, "{}", waiting.text());
    let waiting: Uuid = waiting.json()["task_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.used(DEFAULT).await["tokens_reserved"], 600);

    // One that never ran gives back all, one that ran what it did not say.
    world.raw.cancel(&waiting).await;
    assert_eq!(world.used(DEFAULT).await["tokens_reserved"], 400);
    world.raw.open(&long, None).await.up_to("started").await;
    world.daemon.kill();
    world.restart().await;
    assert_eq!(world.used(DEFAULT).await["tokens_reserved"], 400);
    world.raw.cancel(&long).await;
    let result = world.raw.get(&format!("/v1/tasks/{long}/result")).await;
    let result = result.json();
    let spent = result["tokens_in"].as_u64().unwrap() + result["tokens_out"].as_u64().unwrap();
    let used = world.used(DEFAULT).await;
    assert_eq!(used["tokens_reserved"], 0);
    assert!(
        used["tokens_used"].as_u64().unwrap() <= spent,
        "{used} {result}"
    );

    let unmeetable = world.raw.create(&tokens(601)).await;
    assert_eq!(code(&unmeetable), (422, "QUOTA_UNMEETABLE".to_owned()));
    let problem = unmeetable.problem();
    assert_eq!(problem["limit_name"], "tokens_per_min", "{problem}");
    assert_eq!(problem["retriable"], false, "{problem}");
    assert_eq!(unmeetable.header("retry-after"), None);
    assert_eq!(unmeetable.header("ratelimit"), None);
}

#[tokio::test]
async fn what_was_used_is_still_used_after_a_restart() {
    let mut world = World::ready().await;
    // Half an hour until one token flows back.
    world
        .put_quota(DEFAULT, json!({ "tokens_per_min": 300 }))
        .await;
    let task = world.create(tokens(200)).await.task_id;
    world.until_state(&task, TaskState::Completed).await;
    let before = world.used(DEFAULT).await["tokens_used"].as_u64().unwrap();
    world.daemon.kill();
    world.restart().await;
    let after = world.used(DEFAULT).await["tokens_used"].as_u64().unwrap();
    assert!(before > 150 && after <= before, "{before} {after}");
    assert!(
        after > 0,
        "it took a minute to start again, or it was forgotten"
    );
    exceeded(&world.raw.create(&tokens(300)).await, "tokens_per_min");
}

#[tokio::test]
async fn cache_is_bounded_where_the_pools_tell_and_refused_where_they_do_not() {
    let world = World::ready_with(DaemonOptions::default().config(TOLD)).await;
    let health = world.raw.get("/v1/pools/slow/health").await.json();
    assert_eq!(health["kv_bytes_per_token"], 10_000);
    world.put_quota(DEFAULT, json!({ "kv_mb_max": 3 })).await;
    world.create(tokens(200)).await;
    assert_eq!(world.used(DEFAULT).await["kv_mb_reserved"], 2);
    let (problem, _) = exceeded(&world.raw.create(&tokens(101)).await, "kv_mb_max");
    assert_eq!(
        (&problem["limit_max"], &problem["limit_left"]),
        (&json!(3), &json!(1))
    );
    let unmeetable = world.raw.create(&tokens(301)).await;
    assert_eq!(code(&unmeetable), (422, "QUOTA_UNMEETABLE".to_owned()));
    assert_eq!(unmeetable.problem()["limit_name"], "kv_mb_max");

    let silent = World::ready().await;
    let health = silent.raw.get("/v1/pools/default/health").await.json();
    assert_eq!(health.get("kv_bytes_per_token"), None);
    let body = json!({ "revision": 0, "kv_mb_max": 3 });
    let refused = put(&silent.raw, DEFAULT, &body).await;
    assert_eq!(code(&refused), (409, "QUOTA_UNENFORCEABLE".to_owned()));
    assert_eq!(refused.pointers(), ["/kv_mb_max"]);
    assert_eq!(silent.raw.get(DEFAULT).await.json()["revision"], 0);
}

#[tokio::test]
async fn a_quota_is_put_read_and_listed_with_who_put_it() {
    let world = World::keyed().await;
    let mine = world.raw.get("/v1/whoami").await.json()["key_id"].clone();
    let acme = "/v1/quotas/tenant/acme";
    let fresh = world.raw.get(acme).await.json();
    assert_eq!(
        fresh,
        json!({
            "kind": "tenant", "id": "acme", "revision": 0, "weight": 1,
            "used": { "tasks_live": 0, "tokens_reserved": 0, "tokens_used": 0 }
        })
    );
    let put_first = world
        .put_quota(acme, json!({ "requests_per_s": 5, "weight": 7 }))
        .await;
    assert_eq!(put_first["revision"], 1);
    assert_eq!(
        (&put_first["burst"], &put_first["weight"]),
        (&json!(5), &json!(7))
    );
    assert_eq!(put_first["put_by"], mine);
    assert!(put_first["put_at_ms"].as_u64().unwrap() > 0);

    let stale = json!({ "revision": 0, "tasks_live_max": 1 });
    let refused = put(&world.raw, acme, &stale).await;
    assert_eq!(code(&refused), (409, "QUOTA_CONFLICT".to_owned()));
    assert_eq!(refused.pointers(), ["/revision"]);
    for (path, body, pointer) in [
        (acme, json!({ "revision": 1, "burst": 2 }), "/burst"),
        (
            &format!("/v1/quotas/key/{}", mine.as_str().unwrap()),
            json!({ "revision": 0, "weight": 2 }),
            "/weight",
        ),
        (
            acme,
            json!({ "revision": 1, "tasks_live_max": 0 }),
            "/tasks_live_max",
        ),
        ("/v1/quotas/key/acme", json!({ "revision": 0 }), "path/id"),
    ] {
        let refused = put(&world.raw, path, &body).await;
        assert_eq!(code(&refused), (400, "INVALID_PARAMS".to_owned()), "{body}");
        assert_eq!(refused.pointers(), [pointer]);
    }
    let nobody = world.raw.get("/v1/quotas/key/00000000000000ff").await;
    assert_eq!(nobody.status, 404);

    world
        .put_quota(DEFAULT, json!({ "tasks_live_max": 50 }))
        .await;
    let page = world.raw.get("/v1/quotas?limit=1").await.json();
    assert_eq!(page["quotas"][0]["id"], "acme");
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = format!("/v1/quotas?limit=1&cursor={cursor}");
    let page = world.raw.get(&next).await.json();
    assert_eq!(page["quotas"][0]["id"], "default");
    assert_eq!(page.get("next_cursor"), None);
    assert_eq!(world.raw.get("/v1/quotas?cursor=none").await.status, 400);
}

#[tokio::test]
async fn a_key_is_bounded_with_its_successors_beside_its_tenant() {
    let world = World::keyed_with(throttle(10.0)).await;
    let made = json!({ "name": "a user", "scopes": ["user"], "tenant": "acme" });
    let key = world.raw.post("/v1/keys", &made).await.json();
    let id = key["key"]["key_id"].as_str().unwrap().to_owned();
    let holder = world.raw.with_key(key["api_key"].as_str().unwrap());
    let path = format!("/v1/quotas/key/{id}");
    world.put_quota(&path, json!({ "tasks_live_max": 1 })).await;
    world
        .put_quota("/v1/quotas/tenant/acme", json!({ "tasks_live_max": 2 }))
        .await;
    assert_eq!(holder.create(&exactly(300, 1)).await.status, 202);
    let (problem, _) = exceeded(&holder.create(&exactly(2, 1)).await, "tasks_live_max");
    assert!(
        problem["detail"].as_str().unwrap().contains(&id),
        "{problem}"
    );

    let rotate = format!("/v1/keys/{id}/rotate");
    let next = world
        .raw
        .post(&rotate, &json!({ "grace_ms": 60_000 }))
        .await;
    let next = next.json();
    let successor = world.raw.with_key(next["api_key"].as_str().unwrap());
    exceeded(&successor.create(&exactly(2, 1)).await, "tasks_live_max");
    let seen = next["key"]["key_id"].as_str().unwrap();
    let seen = world
        .raw
        .get(&format!("/v1/quotas/key/{seen}"))
        .await
        .json();
    assert_eq!(
        (&seen["id"], &seen["used"]["tasks_live"]),
        (&json!(id), &json!(1))
    );

    // Another key of the tenant has room until the tenant has none.
    let other = world.raw.post("/v1/keys", &made).await.json();
    let other = world.raw.with_key(other["api_key"].as_str().unwrap());
    assert_eq!(other.create(&exactly(300, 1)).await.status, 202);
    let (problem, _) = exceeded(&other.create(&exactly(2, 1)).await, "tasks_live_max");
    assert!(
        problem["detail"].as_str().unwrap().contains("the tenant"),
        "{problem}"
    );
    assert_eq!(holder.get(&path).await.status, 403);
}

#[tokio::test]
async fn tenants_are_held_to_the_configuration_until_somebody_puts_something_else() {
    let config = format!("[quota.tenant]\ntasks_live_max = 1\nkv_mb_max = 100\n{TOLD}");
    let world = World::ready_with(DaemonOptions::default().config(&config)).await;
    let quota = world.raw.get(DEFAULT).await.json();
    assert_eq!(
        (&quota["revision"], &quota["tasks_live_max"]),
        (&json!(0), &json!(1))
    );
    world.create(exactly(300, 1)).await;
    exceeded(&world.raw.create(&exactly(300, 1)).await, "tasks_live_max");
    world.put_quota(DEFAULT, json!({})).await;
    world.create(exactly(300, 1)).await;
}
