//! A daemon's metrics are those of the contract: names, kinds, helps and labels, both ways.

use std::collections::{BTreeMap, BTreeSet};

use api_client::types::TaskState;
use serde::Deserialize;
use serde_json::json;
use test_harness_support::{DaemonOptions, Signal, random_model, signal};

use crate::raw::send;
use crate::world::{World, eventually, exactly, plain, with};

const CONTRACT: &str = include_str!("../../../../contracts/metrics/orchestratord.json");

#[derive(Deserialize)]
struct Contract {
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    labels: BTreeSet<String>,
    help: String,
}

/// Little room, and two models that take turns in one engine.
fn narrow() -> String {
    let random = random_model();
    format!(
        "{NARROW}
        [[pool]]
        id = \"other\"
        model_ref = \"other\"
        model_file = \"{}\"
        shares_engines_with = \"default\"
        ",
        random.display()
    )
}

const NARROW: &str = "
    [[queue.class]]
    name = \"interactive\"
    capacity = 1
    full_policy = \"shed-low-priority\"
    [[queue.class]]
    name = \"batch\"
    capacity = 1
    full_policy = \"drop-lru\"
    [[pool]]
    id = \"default\"
    max_tokens_per_second = 50.0
";

/// Everything that feeds a metric: tasks that end well, are cancelled, refused and dropped, a model that takes its
/// turn, and a lost engine.
async fn live_through_everything() -> World {
    let world = World::ready_with(DaemonOptions::default().config(&narrow())).await;
    let tiny = |body| with(body, "model_ref", "haiku-tiny");
    let plain = || tiny(plain());
    // As many as it takes to have something measured.
    for _ in 0..4 {
        let done = world.create(tiny(exactly(2, 1))).await.task_id;
        world.until_state(&done, TaskState::Completed).await;
    }
    let other = with(exactly(2, 1), "model_ref", "other");
    let other = world.create(other).await.task_id;
    world.until_state(&other, TaskState::Completed).await;

    let running = world.create(tiny(exactly(400, 2))).await.task_id;
    world.raw.open(&running, None).await.up_to("token").await;
    let batch = || with(plain(), "priority", "batch");
    let dropped = world.create(batch()).await.task_id;
    let shed = world.create(batch()).await.task_id;
    world.until_state(&dropped, TaskState::Failed).await;
    let first = with(plain(), "deadline_ms", 600_000);
    let first = world.create(first).await.task_id;
    let second = world.create(plain()).await.task_id;
    world.until_state(&shed, TaskState::Failed).await;
    assert_eq!(world.raw.create(&plain()).await.status, 429);
    world.raw.cancel(&running).await;
    world.until_state(&first, TaskState::Completed).await;
    world.until_state(&second, TaskState::Completed).await;

    let quota = json!({ "revision": 0, "tokens_per_min": 1 });
    let put = world.raw.request("PUT", "/v1/quotas/tenant/default");
    assert_eq!(send(put.json(&quota)).await.status, 200);
    assert_eq!(world.raw.create(&plain()).await.status, 422);

    signal(world.daemon.engine_pids()[0], Signal::Kill).unwrap();
    eventually("the engine was restarted", async || {
        let metrics = world.metrics().await;
        let restarts = metrics.sum("replica_restarts_total");
        (restarts == 2.0 && metrics.sum("replicas_ready") == 2.0).then_some(())
    })
    .await;
    world
}

#[tokio::test]
async fn a_scrape_after_everything_is_the_contract_both_ways() {
    let world = live_through_everything().await;
    let answer = world.raw.get("/metrics").await;
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain"), "{kind}");
    let scrape = world.metrics().await;

    let contract: Contract = serde_json::from_str(CONTRACT).unwrap();
    let name_and = |of: fn(&Metric) -> String| -> BTreeMap<String, String> {
        contract
            .metrics
            .iter()
            .map(|it| (it.name.clone(), of(it)))
            .collect()
    };
    assert_eq!(scrape.kinds, name_and(|it| it.kind.clone()));
    assert_eq!(scrape.helps, name_and(|it| it.help.clone()));
    for metric in &contract.metrics {
        let sets = scrape.label_sets(&metric.name);
        assert_eq!(
            sets,
            BTreeSet::from([metric.labels.clone()]),
            "{}",
            metric.name
        );
    }
}

#[tokio::test]
async fn the_numbers_are_what_happened() {
    let world = live_through_everything().await;
    let scrape = world.metrics().await;
    let ended = |reason| scrape.sum_where("tasks_ended_total", "reason", reason);
    assert_eq!(ended("length"), 5.0);
    assert_eq!(ended("stop"), 2.0);
    assert_eq!(ended("cancelled"), 1.0);
    assert_eq!(ended("QUEUE_FULL_DROP_LRU"), 1.0);
    assert_eq!(ended("QUEUE_FULL_SHED"), 1.0);
    assert_eq!(scrape.sum("preemptions_total"), 1.0);
    assert_eq!(scrape.sum("deadlines_met_ratio"), 1.0);
    assert_eq!(scrape.sum("tasks_enqueued_total"), 10.0);
    assert_eq!(scrape.sum("tasks_rejected_total"), 2.0);
    assert_eq!(scrape.sum("task_refusals_total"), 2.0);
    assert_eq!(scrape.sum("quota_refusals_total"), 1.0);
    assert!((scrape.sum("admission_share") - 1.0).abs() < 1e-9);
    assert_eq!(scrape.sum("tasks_started_total"), 8.0);
    // Two waited for a slot and got one.
    assert_eq!(scrape.sum("start_predictions_total"), 2.0);
    // To the other model and back.
    assert_eq!(scrape.sum("model_changes_total"), 2.0);
    assert_eq!(scrape.sum("queue_depth"), 0.0);
    assert_eq!(scrape.sum("replicas_ready"), 2.0);
    // Every finished text has its time to the first token, and those not cut short their time to the last.
    assert_eq!(scrape.sum("latency_first_token_ms_count"), 8.0);
    assert_eq!(scrape.sum("latency_decode_ms_count"), 7.0);
    assert!(scrape.sum("store_mutations_total") >= scrape.sum("store_commits_total"));
}
