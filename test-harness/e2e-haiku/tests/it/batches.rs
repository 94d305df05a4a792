//! Many tasks in one request.

use serde_json::{Value, json};
use test_harness_support::DaemonOptions;

use crate::world::{World, plain, with};

const BATCH: &str = "/v1/tasks/batch";

fn id(number: usize) -> String {
    format!("019a2f3c-7a51-7c40-9a53-{number:012x}")
}

fn named(number: usize) -> Value {
    with(plain(), "task_id", id(number))
}

#[tokio::test]
async fn a_thousand_tasks_are_one_commit_in_their_order_and_outlive_the_daemon() {
    let options = DaemonOptions::default()
        .config("[[queue.class]]\nname = \"interactive\"\ncapacity = 2000\n");
    let mut world = World::ready_with(options).await;
    let commits = async |world: &World| world.metrics().await.sum("store_commits_total");
    let before = commits(&world).await;
    let tasks: Vec<Value> = (0..1_000).rev().map(named).collect();
    let body = json!({ "tasks": tasks });
    let answer = world.raw.post(BATCH, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = answer.json();
    assert_eq!(
        (&told["accepted"], &told["refused"]),
        (&json!(1_000), &json!(0))
    );
    let items = told["items"].as_array().unwrap();
    for (item, number) in items.iter().zip((0..1_000).rev()) {
        assert_eq!(item["task"]["task_id"], id(number));
    }
    // The engine has begun meanwhile, which is one more for each task that runs.
    assert!(commits(&world).await - before < 500.0);
    world.daemon.kill();
    world.restart().await;
    let newest = world.raw.get("/v1/tasks?limit=200").await.json();
    let listed = newest["tasks"].as_array().unwrap();
    let ids: Vec<_> = listed.iter().map(|task| task["task_id"].clone()).collect();
    let expected: Vec<_> = (0..200).map(|number| json!(id(number))).collect();
    assert_eq!(ids, expected, "the last of the batch was accepted last");
    let again = world.raw.post(BATCH, &body).await.json();
    assert!(
        again["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["replayed"] == true)
    );
}

#[tokio::test]
async fn each_task_is_accepted_or_refused_by_itself() {
    let world = World::ready().await;
    let tasks = [
        named(1),
        with(plain(), "model_ref", "nobody-serves-this"),
        with(named(1), "seed", 5),
        plain(),
        named(1),
    ];
    let answer = world.raw.post(BATCH, &json!({ "tasks": tasks })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = answer.json();
    assert_eq!(
        (&told["accepted"], &told["refused"]),
        (&json!(3), &json!(2))
    );
    let items = told["items"].as_array().unwrap();
    let codes: Vec<_> = items
        .iter()
        .map(|item| item["problem"]["code"].as_str())
        .collect();
    assert_eq!(
        codes,
        [
            None,
            Some("MODEL_UNKNOWN"),
            Some("TASK_ID_CONFLICT"),
            None,
            None
        ]
    );
    let pointer = |item: &Value| item["problem"]["errors"][0]["pointer"].clone();
    assert_eq!(pointer(&items[1]), "/tasks/1/model_ref");
    assert_eq!(pointer(&items[2]), "/tasks/2/task_id");
    assert_eq!(items[4]["task"]["task_id"], id(1));
    assert_eq!(items[4]["replayed"], true);
    let fresh = items[3]["task"]["task_id"].as_str().unwrap();
    world.raw.story(&fresh.parse().unwrap()).await;
}

#[tokio::test]
async fn a_malformed_task_refuses_the_batch_with_its_place() {
    let world = World::ready().await;
    let tasks = [plain(), with(plain(), "seed", 0), json!({})];
    let answer = world.raw.post(BATCH, &json!({ "tasks": tasks })).await;
    let problem = answer.json();
    assert_eq!(answer.status, 400, "{problem}");
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        pointers.contains(&"/tasks/1/seed".to_owned()),
        "{pointers:?}"
    );
    assert!(
        pointers
            .iter()
            .any(|pointer| pointer.starts_with("/tasks/2")),
        "{pointers:?}"
    );
    for size in [0, 1_001] {
        let tasks = vec![plain(); size];
        let answer = world.raw.post(BATCH, &json!({ "tasks": tasks })).await;
        assert_eq!(answer.status, 400, "{size}: {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["pointer"], "/tasks");
    }
    let page = world.raw.get("/v1/tasks").await.json();
    assert_eq!(page["tasks"], json!([]));
}
