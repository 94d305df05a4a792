//! Pools that share engines: two models take turns in one process, and nothing but time is lost by it.

use std::collections::BTreeMap;
use std::path::Path;

use api_client::types::TaskState;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_harness_support::{DaemonOptions, EngineServer, Signal, haiku_tiny, random_model, signal};
use uuid::Uuid;

use crate::raw::{Raw, data, text_of};
use crate::world::{World, eventually, exactly, with};

/// The two models, and the pools that serve them.
const MODELS: [&str; 2] = ["haiku", "random"];
/// Tasks for each of them.
const TASKS: u32 = 10;
/// Tokens of each.
const TOKENS: u32 = 12;

/// Two embedded pools, the second in the engine of the first.
fn embedded(placement: &str, first: &str) -> DaemonOptions {
    DaemonOptions::default().config(&format!(
        "{placement}\n[[pool]]\nid = \"haiku\"\nmodel_ref = \"haiku\"\n{first}\n\
         [[pool]]\nid = \"random\"\nmodel_ref = \"random\"\nmodel_file = \"{}\"\nshares_engines_with = \"haiku\"\n",
        random_model().display()
    ))
}

/// Two pools of one server that somebody else runs.
fn attached(server: &EngineServer, placement: &str) -> DaemonOptions {
    let pool = |model: &str| {
        format!(
            "[[pool]]\nid = \"{model}\"\nengine = \"llamacpp\"\nmodel_ref = \"{model}\"\nurls = [\"{}\"]\n",
            server.url()
        )
    };
    DaemonOptions::default().config(&format!("{placement}\n{}", MODELS.map(pool).concat()))
}

const IN_ORDER: &str = "[placement]\nmodel_run_tokens_max = 0\n";

/// A task of a model. Its text is that of all tasks of that model with this seed.
fn of(model: &str, seed: u32) -> Value {
    with(exactly(TOKENS, seed), "model_ref", model)
}

fn digest_of(file: &Path) -> String {
    let digest = Sha256::digest(std::fs::read(file).unwrap());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

async fn both_ready(world: &World) {
    for pool in MODELS {
        eventually("the pool is ready", async || {
            // A daemon that reads what its store holds refuses.
            let health = world.client.pool_health(pool).await.ok()?;
            health.ready.then_some(())
        })
        .await;
    }
}

/// Hands over tasks of both models in turn while nothing is dispatched, each from who asks for that model, and
/// lets them go.
async fn hand_over(world: &World, users: [&Raw; 2]) -> Vec<(&'static str, Uuid)> {
    world.switch("pause", json!({})).await;
    let mut tasks = Vec::new();
    for seed in 1..=TASKS {
        for (model, user) in MODELS.into_iter().zip(users) {
            let answer = user.post("/v1/tasks", &of(model, seed)).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            let id = answer.json()["task_id"].as_str().unwrap().parse().unwrap();
            tasks.push((model, id));
        }
    }
    world.switch("resume", json!({})).await;
    tasks
}

/// All have completed, each on its own model. The texts, by model and place.
async fn completed(world: &World, users: [&Raw; 2], tasks: &[(&str, Uuid)]) -> Vec<String> {
    let digests = BTreeMap::from([
        ("haiku", digest_of(&haiku_tiny())),
        ("random", digest_of(&random_model())),
    ]);
    let mut texts = Vec::new();
    for (model, task) in tasks {
        let user = users[usize::from(*model == "random")];
        let story = user.story(task).await;
        let end = story.last().unwrap();
        assert_eq!(data(end)["tokens_out"], TOKENS, "{model}: {end:?}");
        let started = story.iter().find(|event| event.name == "started");
        let started = data(started.unwrap());
        assert_eq!(started["model_digest"], digests[model], "{started}");
        texts.push(text_of(&story));
        let ended = user.get(&format!("/v1/tasks/{task}")).await.json();
        assert_eq!(ended["state"], "completed", "{ended}");
    }
    both_ready(world).await;
    texts
}

async fn model_changes(world: &World) -> f64 {
    world.metrics().await.sum("model_changes_total")
}

/// How often the model changes for tasks that were handed over in turn.
async fn changes_of_one_user(options: DaemonOptions) -> (f64, Vec<String>) {
    let world = World::with(options);
    both_ready(&world).await;
    let users = [&world.raw, &world.raw];
    let tasks = hand_over(&world, users).await;
    let texts = completed(&world, users, &tasks).await;
    (model_changes(&world).await, texts)
}

#[tokio::test]
async fn tasks_in_turn_are_run_model_by_model_and_in_order_if_that_is_asked_for() {
    let (changes, texts) = changes_of_one_user(embedded("", "")).await;
    assert!(changes <= 2.0, "{changes}");
    let (in_order, same_texts) = changes_of_one_user(embedded(IN_ORDER, "")).await;
    assert_eq!(in_order, f64::from(2 * TASKS - 1));
    assert_eq!(texts, same_texts, "the order changes no text");
}

#[tokio::test]
async fn two_users_with_a_model_each_share_an_engine() {
    for (placement, most) in [("", 4.0), (IN_ORDER, f64::from(2 * TASKS))] {
        let world = World::keyed_with(embedded(placement, "")).await;
        both_ready(&world).await;
        let before = model_changes(&world).await;
        let body = json!({ "name": "other", "tenant": "acme", "scopes": ["user"] });
        let made = world.raw.post("/v1/keys", &body).await.json();
        let other = world.raw.with_key(made["api_key"].as_str().unwrap());
        let users = [&world.raw, &other];
        let tasks = hand_over(&world, users).await;
        completed(&world, users, &tasks).await;
        let changes = model_changes(&world).await - before;
        assert!(changes <= most, "{changes}");
        if placement == IN_ORDER {
            assert!(changes >= f64::from(TASKS), "{changes}");
        }
    }
}

#[tokio::test]
async fn where_models_take_turns_is_told() {
    let world = World::with(embedded("", ""));
    both_ready(&world).await;
    for pool in MODELS {
        let health = world.client.pool_health(pool).await.unwrap();
        assert_eq!(health.replicas[0].process.as_deref(), Some("haiku-0"));
    }
    assert_eq!(world.daemon.engine_pids().len(), 1);
}

#[tokio::test]
async fn an_engine_that_is_killed_between_models_costs_time_and_nothing_else() {
    let world = World::with(embedded("", "max_tokens_per_second = 100.0"));
    both_ready(&world).await;
    let users = [&world.raw, &world.raw];
    let undisturbed = hand_over(&world, users).await;
    let texts = completed(&world, users, &undisturbed).await;
    let tasks = hand_over(&world, users).await;
    let mut reader = world.raw.open(&tasks[2].1, None).await;
    reader.up_to_token(3).await;
    let pids = world.daemon.engine_pids();
    assert_eq!(pids.len(), 1, "{pids:?}");
    signal(pids[0], Signal::Kill).unwrap();
    assert_eq!(completed(&world, users, &tasks).await, texts);
    let mut attempts = 0;
    for (_, task) in &tasks {
        attempts += world.until_state(task, TaskState::Completed).await.attempts;
    }
    // The one that ran, and perhaps the next ones too, begun before the loss was noticed.
    let lost = attempts - 2 * TASKS;
    assert!((1..=3).contains(&lost), "{lost}");
    // What happens to the process happens to both replicas.
    for pool in MODELS {
        let health = world.client.pool_health(pool).await.unwrap();
        assert_eq!(health.replicas[0].restarts, 1);
    }
}

/// Loads of models that `orch-engine` counts itself.
async fn loads(server: &EngineServer) -> f64 {
    let metrics = reqwest::get(format!("{}/metrics", server.url()));
    let text = metrics.await.unwrap().text().await.unwrap();
    let metrics = test_harness_e2e_haiku::exposition::Exposition::parse(&text).unwrap();
    metrics.sum("orch_engine:model_loads_total")
}

#[tokio::test]
async fn the_engine_changes_its_model_as_often_as_the_daemon_says() {
    for (placement, most) in [("", 2.0), (IN_ORDER, f64::from(2 * TASKS))] {
        let server = EngineServer::orch_engine_of_two(0, &[]);
        let world = World::with(attached(&server, placement));
        both_ready(&world).await;
        let before = loads(&server).await;
        let users = [&world.raw, &world.raw];
        let tasks = hand_over(&world, users).await;
        completed(&world, users, &tasks).await;
        let (loads, changes) = (loads(&server).await - before, model_changes(&world).await);
        assert!(changes <= most, "{changes}");
        // The proof of both has left the second in memory, of which the daemon makes no assumption.
        assert!(
            (0.0..=1.0).contains(&(loads - changes)),
            "{loads} {changes}"
        );
    }
}

#[tokio::test]
async fn a_real_llama_server_takes_turns_and_is_killed_and_nothing_is_lost() {
    let Some(mut server) = EngineServer::llama_router_of_two(0, &[]) else {
        return;
    };
    let world = World::with(attached(&server, ""));
    both_ready(&world).await;
    let users = [&world.raw, &world.raw];
    let tasks = hand_over(&world, users).await;
    let texts = completed(&world, users, &tasks).await;
    let changes = model_changes(&world).await;
    assert!(changes <= 2.0, "{changes}");

    let tasks = hand_over(&world, users).await;
    let port = server.port();
    server.kill();
    eventually("the loss is noticed", async || {
        let health = world.client.pool_health("haiku").await.unwrap();
        (!health.ready).then_some(())
    })
    .await;
    server = EngineServer::llama_router_of_two(port, &[]).expect("it was there before");
    assert_eq!(completed(&world, users, &tasks).await, texts);
    drop(server);
}

#[tokio::test]
async fn a_real_llama_server_in_order_changes_its_model_for_each_task() {
    let Some(server) = EngineServer::llama_router_of_two(0, &[]) else {
        return;
    };
    let (changes, _) = changes_of_one_user(attached(&server, IN_ORDER)).await;
    assert_eq!(changes, f64::from(2 * TASKS - 1));
}
