//! Why a task was turned away can be asked afterwards, by its own tenant.

use serde_json::json;
use test_harness_support::DaemonOptions;
use uuid::Uuid;

use crate::contract::published;
use crate::raw::send;
use crate::world::{World, exactly, plain, with};

const NARROW: &str = "
    [[queue.class]]
    name = \"interactive\"
    capacity = 1
    [refusals]
    kept_max = 3
    [[pool]]
    id = \"slow\"
    max_tokens_per_second = 10.0
";

/// Fills slot and queue of a daemon.
async fn fill(world: &World) -> Uuid {
    let running = world.create(exactly(400, 1)).await.task_id;
    world.raw.open(&running, None).await.up_to("started").await;
    world.create(plain()).await;
    running
}

#[tokio::test]
async fn a_refusal_is_found_by_the_correlation_id_and_by_the_tasks_own() {
    let world = World::ready_with(DaemonOptions::default().config(NARROW)).await;
    fill(&world).await;
    let id = Uuid::new_v4().to_string();
    let request = world.raw.request("POST", "/v1/tasks");
    let request =
        request
            .header("x-correlation-id", "why/me?")
            .json(&with(plain(), "task_id", id.clone()));
    let refused = send(request).await;
    assert_eq!(refused.status, 429);
    let problem = refused.problem();

    let get = published(&world, "refusal_get").await;
    for name in ["why%2Fme%3F", id.as_str()] {
        let found = world.raw.get(&format!("/v1/refusals/{name}")).await;
        get.check(&found);
        let found = found.json();
        assert_eq!(found["correlation_id"], "why/me?");
        assert_eq!(found["task_id"], id.as_str());
        for same in ["code", "detail", "limit_name", "retry_after_ms"] {
            assert_eq!(found[same], problem[same], "{same}");
        }
        assert_eq!(found["blocked_by"], "queue_full");
        assert_eq!(
            (&found["queue_depth"], &found["queue_position"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(found["not_chosen"], json!({ "busy": 1 }));
        assert_eq!(found["candidates"][0]["verdict"], "busy");
    }
    let told = world
        .client
        .refusal_get("why/me?")
        .await
        .unwrap()
        .into_body();
    assert_eq!(told.correlation_id, "why/me?");
    let refusals = world.metrics().await;
    let counted = refusals.sum_where("task_refusals_total", "blocked_by", "queue_full");
    assert_eq!(counted, 1.0);
}

#[tokio::test]
async fn each_refused_task_of_a_batch_is_found_by_an_id_of_its_own() {
    let world = World::ready_with(DaemonOptions::default().config(NARROW)).await;
    fill(&world).await;
    let unserved = with(plain(), "model_ref", "nobody-serves-this");
    let sent = [plain(), unserved, with(plain(), "max_tokens", 7)];
    let request = world.raw.request("POST", "/v1/tasks/batch");
    let request = request
        .header("x-correlation-id", "nightly")
        .json(&json!({ "tasks": sent }));
    let told = send(request).await.json();
    assert_eq!(told["refused"], 3, "{told}");
    let get = published(&world, "refusal_get").await;
    let items = told["items"].as_array().unwrap();
    for item in items {
        assert_eq!(item["problem"]["correlation_id"], "nightly");
        let id = item["refusal_id"].as_str().unwrap();
        let found = world.raw.get(&format!("/v1/refusals/{id}")).await;
        get.check(&found);
        let found = found.json();
        assert_eq!(
            (&found["refusal_id"], &found["correlation_id"]),
            (&item["refusal_id"], &json!("nightly"))
        );
        for same in ["code", "detail"] {
            assert_eq!(found[same], item["problem"][same], "{same}");
        }
    }
    // Each is the one of its task, and not another that was refused alike.
    let of = async |id: &str| world.raw.get(&format!("/v1/refusals/{id}")).await.json();
    let mut ids: Vec<&str> = items
        .iter()
        .map(|item| item["refusal_id"].as_str().unwrap())
        .collect();
    assert_eq!(of(ids[1]).await["model_ref"], "nobody-serves-this");
    let costs = [of(ids[0]).await, of(ids[2]).await].map(|it| it["tokens"].clone());
    assert_ne!(costs[0], costs[1]);
    assert_eq!(of("nightly").await["refusal_id"], ids[2], "the newest");
    let nobodys = format!("/v1/refusals/{}", Uuid::new_v4());
    assert_eq!(world.raw.get(&nobodys).await.status, 404);
    let page = world.raw.get("/v1/refusals").await.json();
    let listed: Vec<_> = page["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["refusal_id"].clone())
        .collect();
    ids.reverse();
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn two_batches_under_one_correlation_id_have_refusals_of_their_own() {
    let world = World::ready_with(DaemonOptions::default().config(NARROW)).await;
    fill(&world).await;
    let mut ids = Vec::new();
    for tokens in [5, 6] {
        let sent = json!({ "tasks": [with(plain(), "max_tokens", tokens)] });
        let request = world.raw.request("POST", "/v1/tasks/batch");
        let request = request.header("x-correlation-id", "again").json(&sent);
        let told = send(request).await.json();
        ids.push(told["items"][0]["refusal_id"].as_str().unwrap().to_owned());
    }
    let of = async |id: &str| world.raw.get(&format!("/v1/refusals/{id}")).await.json();
    let (first, second) = (of(&ids[0]).await, of(&ids[1]).await);
    assert_eq!(first["refusal_id"], ids[0]);
    assert_eq!(second["refusal_id"], ids[1]);
    assert_eq!(
        first["tokens"].as_u64().map(|tokens| tokens + 1),
        second["tokens"].as_u64()
    );
}

#[tokio::test]
async fn a_task_of_a_batch_of_which_nothing_is_kept_has_no_such_id() {
    let world = World::ready().await;
    let id = Uuid::new_v4().to_string();
    let tasks = [
        with(plain(), "task_id", id.clone()),
        with(with(plain(), "seed", 5), "task_id", id),
    ];
    let told = world
        .raw
        .post("/v1/tasks/batch", &json!({ "tasks": tasks }))
        .await
        .json();
    assert_eq!(told["items"][1]["problem"]["code"], "TASK_ID_CONFLICT");
    assert_eq!(told["items"][1].get("refusal_id"), None);
}

#[tokio::test]
async fn the_newest_are_listed_page_by_page_and_the_oldest_go() {
    let world = World::ready_with(DaemonOptions::default().config(NARROW)).await;
    fill(&world).await;
    for name in ["a", "b", "c", "d"] {
        let request = world.raw.request("POST", "/v1/tasks");
        let refused = send(request.header("x-correlation-id", name).json(&plain())).await;
        assert_eq!(refused.status, 429);
    }
    // What does not fit the contract was turned away before any rule was asked.
    let unfit = with(plain(), "seed", 0);
    assert_eq!(world.raw.create(&unfit).await.status, 400);
    let unserved = world
        .raw
        .create(&with(plain(), "model_ref", "nobody's"))
        .await;
    assert_eq!(unserved.status, 422);

    let list = published(&world, "refusal_list").await;
    let first = world.raw.get("/v1/refusals?limit=2").await;
    list.check(&first);
    let first = first.json();
    let blocked = |one: &serde_json::Value| one["blocked_by"].as_str().unwrap().to_owned();
    let all = first["refusals"].as_array().unwrap();
    assert_eq!(
        all.iter().map(blocked).collect::<Vec<_>>(),
        ["offer", "queue_full"]
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world
        .raw
        .get(&format!("/v1/refusals?cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        second["refusals"].as_array().unwrap().len(),
        1,
        "three are kept"
    );
    assert_eq!(second["refusals"][0]["correlation_id"], "c");
    assert!(second["next_cursor"].is_null());
    assert_eq!(world.raw.get("/v1/refusals/a").await.status, 404);
    let unfit = world.raw.get("/v1/refusals?cursor=x").await;
    assert_eq!(
        (unfit.status, unfit.pointers()),
        (400, vec!["query/cursor".to_owned()])
    );
}

#[tokio::test]
async fn another_tenants_refusals_are_not_there() {
    let mut world = World::keyed_with(DaemonOptions::default().config(NARROW)).await;
    fill(&world).await;
    let request = world.raw.request("POST", "/v1/tasks");
    let refused = send(request.header("x-correlation-id", "mine").json(&plain())).await;
    assert_eq!(refused.status, 429);
    assert_eq!(world.raw.get("/v1/refusals/mine").await.status, 200);

    let other = json!({ "name": "other", "tenant": "other", "scopes": ["user"] });
    let made = world.raw.post("/v1/keys", &other).await.json();
    world.show(made["api_key"].as_str().unwrap());
    assert_eq!(world.raw.get("/v1/refusals/mine").await.status, 404);
    let listed = world.raw.get("/v1/refusals").await.json();
    assert_eq!(listed, json!({ "refusals": [] }));
}
