//! Several replicas that live in one process, one for each of its models.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use llamacpp_http::{LlamacppAdapter, Timeouts};
use pool_managerd::{AdapterFactory, Attached, EngineSpec, News, ReplicaSpec, locate_engine};
use test_harness_support::EngineServer;
use tokio::sync::mpsc;
use tokio::time::timeout;
use worker_adapter::{AdapterError, Health};

use crate::support::{Engine, GOOD, HUNG_AFTER, Watched, kill, policy, script};

/// What an event says, without what differs from run to run.
async fn told(watched: &mut Watched) -> String {
    let event = watched.any().await;
    let news = match event.news {
        News::Starting { .. } => "starting".to_owned(),
        News::Ready { facts, .. } => format!("ready with a context of {}", facts.ctx),
        News::Down { detail, .. } => match detail.rsplit_once(": ") {
            Some((_, last)) => format!("down: {}", last.lines().next().unwrap_or_default()),
            None => detail,
        },
        News::GaveUp { detail } => detail.split(';').next().unwrap_or_default().to_owned(),
    };
    format!("{} {} {news}", event.run, event.replica)
}

async fn next(watched: &mut Watched, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(told(watched).await);
    }
    all
}

#[tokio::test]
async fn what_happens_to_the_process_happens_to_each() {
    let engines = [Arc::new(Engine::default()), Arc::new(Engine::default())];
    let replicas = vec![
        ReplicaSpec::new("a-0", engines[0].factory()),
        ReplicaSpec::new("b-0", engines[1].factory()),
    ];
    let mut spec = script(GOOD);
    spec.policy.budget.restarts = 1;
    let mut watched = Watched::start_with(spec, replicas);
    let pid = match watched.any().await.news {
        News::Starting { pid } => pid,
        other => panic!("not starting but {other:?}"),
    };
    assert_eq!(
        next(&mut watched, 3).await,
        [
            "1 b-0 starting",
            "1 a-0 ready with a context of 64",
            "1 b-0 ready with a context of 64",
        ]
    );
    // From now on the second cannot be used, and so the process cannot.
    let refusal = AdapterError::Refused("no such model".to_owned());
    *engines[1].refuses.lock().unwrap() = Some(refusal);
    kill(pid);
    insta::assert_snapshot!(next(&mut watched, 8).await.join("\n"), @r"
    1 a-0 down: 9 (SIGKILL); it wrote nothing to standard error
    1 b-0 down: 9 (SIGKILL); it wrote nothing to standard error
    2 a-0 starting
    2 b-0 starting
    2 a-0 down: no such model; it wrote nothing to standard error
    2 b-0 down: no such model; it wrote nothing to standard error
    2 a-0 replica a-0 stays down: it failed again after 1 restarts within 3600 s
    2 b-0 replica b-0 stays down: it failed again after 1 restarts within 3600 s
    ");
    assert!(watched.is_over().await);
    // The first was proven again each time, and nobody was told.
    assert_eq!(engines[0].generations.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_fault_names_the_replica_that_has_it() {
    let (fine, broken) = (Arc::new(Engine::default()), Arc::new(Engine::default()));
    *broken.refuses.lock().unwrap() = Some(AdapterError::Refused("no such model".to_owned()));
    let (sender, mut events) = mpsc::channel(4);
    let replicas = vec![
        ReplicaSpec::new("a-0", fine.factory()),
        ReplicaSpec::new("b-0", broken.factory()),
    ];
    let url = "http://engine:8080".to_owned();
    let handle = Attached::start(url, policy().watch, replicas, sender);
    for replica in ["a-0", "b-0"] {
        let event = timeout(HUNG_AFTER, events.recv()).await.unwrap().unwrap();
        assert_eq!(event.replica, replica);
        let News::Down { detail, .. } = event.news else {
            panic!("not down but {:?}", event.news);
        };
        let expected = "http://engine:8080 is not ready: replica b-0: the engine refused the request: no such model";
        assert_eq!(detail, expected);
    }
    drop(handle);
}

fn adapters_of(model: &'static str) -> AdapterFactory {
    Arc::new(move |url| {
        let adapter = LlamacppAdapter::new(url, Timeouts::default())?;
        Ok(Arc::new(adapter.of_model(model)))
    })
}

#[tokio::test]
async fn real_engine_with_two_models_is_two_replicas() {
    let command = locate_engine(None).unwrap_or_else(|error| panic!("{error}"));
    let random = test_harness_support::random_model();
    let mut spec = EngineSpec::new("shared-0", command);
    spec.args = ["--exit-on-stdin-eof", "--model", "embedded:haiku-tiny"]
        .into_iter()
        .chain(["--alias", "haiku", "--alias", "random", "--model"])
        .map(Into::into)
        .chain([random.into_os_string()])
        .collect();
    spec.policy = policy();
    let replicas = vec![
        ReplicaSpec::new("haiku-0", adapters_of("haiku")),
        ReplicaSpec::new("random-0", adapters_of("random")),
    ];
    let mut watched = Watched::start_with(spec, replicas);
    let mut digests = Vec::new();
    for _ in 0..4 {
        if let News::Ready { facts, adapter, .. } = watched.any().await.news {
            digests.push(facts.model_digest.clone().unwrap());
            assert_eq!(adapter.health().await, Ok(Health::Ready));
            assert_eq!(adapter.facts().await, Ok(facts));
        }
    }
    assert_eq!(digests.len(), 2);
    assert_ne!(digests[0], digests[1]);
    watched.handle.stop().await;
}

#[tokio::test]
async fn a_real_llama_server_with_two_models_is_two_replicas() {
    let Some(server) = EngineServer::llama_router_of_two(0, &[]) else {
        return;
    };
    let (sender, mut events) = mpsc::channel(4);
    let replicas = vec![
        ReplicaSpec::new("haiku-0", adapters_of("haiku")),
        ReplicaSpec::new("random-0", adapters_of("random")),
    ];
    let url = server.url().to_owned();
    let _handle = Attached::start(url, policy().watch, replicas, sender);
    let mut digests = Vec::new();
    while digests.len() < 2 {
        let event = timeout(HUNG_AFTER, events.recv()).await.unwrap().unwrap();
        match event.news {
            News::Ready { facts, .. } => digests.push(facts.model_digest.unwrap()),
            other => panic!("not ready but {other:?}"),
        }
    }
    assert_ne!(digests[0], digests[1]);
}
