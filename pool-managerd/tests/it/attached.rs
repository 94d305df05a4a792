//! Engines that someone else runs, on a clock that jumps to the next timer: no process is involved.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pool_managerd::{Attached, AttachedHandle, News, ReplicaSpec, SupervisorEvent, Watch};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use worker_adapter::AdapterError;

use crate::support::{Engine, policy};

/// On the clock that jumps, longer than anything here takes.
const HUNG_AFTER: Duration = Duration::from_hours(24);

fn attach(engine: &Arc<Engine>) -> (AttachedHandle, mpsc::Receiver<SupervisorEvent>) {
    let (sender, events) = mpsc::channel(1);
    let watch: Watch = policy().watch;
    let url = "http://engine:8080".to_owned();
    let replica = ReplicaSpec::new("a0", engine.factory());
    let handle = Attached::start(url, watch, vec![replica], sender);
    (handle, events)
}

async fn news(events: &mut mpsc::Receiver<SupervisorEvent>) -> (u32, String) {
    let event = timeout(HUNG_AFTER, events.recv()).await.expect("no news");
    let event = event.expect("the watching goes on");
    assert_eq!(event.replica, "a0");
    let news = match event.news {
        News::Ready { url, .. } => format!("ready at {url}"),
        News::Down { detail, exit: None } => format!("down: {detail}"),
        other => panic!("no news of an attached engine: {other:?}"),
    };
    (event.run, news)
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_was_lost_is_found_again() {
    let engine = Arc::new(Engine::default());
    let (_handle, mut events) = attach(&engine);
    let ready = "ready at http://engine:8080".to_owned();
    assert_eq!(news(&mut events).await, (1, ready.clone()));
    engine.sick.store(true, Ordering::SeqCst);
    insta::assert_snapshot!(news(&mut events).await.1, @"down: 2 health checks in a row failed; the last: the engine broke off: it is sick");
    engine.sick.store(false, Ordering::SeqCst);
    assert_eq!(news(&mut events).await, (2, ready));
}

#[tokio::test(start_paused = true)]
async fn what_keeps_an_engine_from_being_ready_is_told_once() {
    let engine = Arc::new(Engine::default());
    *engine.refuses.lock().unwrap() = Some(AdapterError::Refused("no such model".to_owned()));
    let (_handle, mut events) = attach(&engine);
    insta::assert_snapshot!(news(&mut events).await.1, @"down: http://engine:8080 is not ready: the engine refused the request: no such model");
    // Many tries later it is mended, and nothing was told in between.
    let tried = engine.generations.load(Ordering::SeqCst) + 5;
    while engine.generations.load(Ordering::SeqCst) < tried {
        tokio::time::advance(policy().watch.interval).await;
    }
    *engine.refuses.lock().unwrap() = None;
    assert_eq!(news(&mut events).await.1, "ready at http://engine:8080");
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_takes_long_is_told_of_once_and_awaited() {
    let engine = Arc::new(Engine::default());
    *engine.slow.lock().unwrap() = Duration::from_secs(45);
    let (_handle, mut events) = attach(&engine);
    insta::assert_snapshot!(news(&mut events).await.1, @"down: http://engine:8080 is not ready: it has not decoded its first tokens");
    assert_eq!(news(&mut events).await.1, "ready at http://engine:8080");
    assert_eq!(engine.generations.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_suspected_engine_is_checked_at_once_and_down_with_one_miss() {
    let engine = Arc::new(Engine::default());
    let (handle, mut events) = attach(&engine);
    news(&mut events).await;
    let ready = Instant::now();
    engine.sick.store(true, Ordering::SeqCst);
    handle.suspicion().raise();
    insta::assert_snapshot!(news(&mut events).await.1, @"down: it failed a caller, and then the health check that followed: the engine broke off: it is sick");
    assert!(ready.elapsed() < policy().watch.interval);
    engine.sick.store(false, Ordering::SeqCst);
    assert_eq!(
        news(&mut events).await,
        (2, "ready at http://engine:8080".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_suspicion_that_is_unfounded_changes_nothing() {
    let engine = Arc::new(Engine::default());
    let (handle, mut events) = attach(&engine);
    news(&mut events).await;
    let ready = Instant::now();
    let checked = engine.checks.load(Ordering::SeqCst);
    handle.suspicion().raise();
    while engine.checks.load(Ordering::SeqCst) == checked {
        tokio::task::yield_now().await;
    }
    assert!(ready.elapsed() < policy().watch.interval);
    engine.sick.store(true, Ordering::SeqCst);
    insta::assert_snapshot!(news(&mut events).await.1, @"down: 2 health checks in a row failed; the last: the engine broke off: it is sick");
}

#[tokio::test]
async fn dropping_the_handle_ends_the_watching() {
    let engine = Arc::new(Engine::default());
    let (handle, mut events) = attach(&engine);
    news(&mut events).await;
    drop(handle);
    assert!(events.recv().await.is_none());
}
