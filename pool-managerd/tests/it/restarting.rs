//! Failures after the proof, restarts, and the end of the budget.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::{Engine, GOOD, Watched, kill, runs, script};

#[tokio::test]
async fn a_process_that_dies_is_started_again() {
    let engine = Arc::new(Engine::default());
    let mut watched = Watched::start(script(GOOD), engine.factory());
    let first = watched.starting().await;
    watched.ready().await;
    kill(first);
    insta::assert_snapshot!(watched.down(first).await, @"[signal: 9 (SIGKILL)] /bin/sh (pid PID) ended: signal: 9 (SIGKILL); it wrote nothing to standard error");
    let second = watched.starting().await;
    assert_ne!(first, second);
    let event = watched.next().await;
    assert_eq!(event.run, 2);
    assert!(runs(second) && !runs(first));
    assert_eq!(engine.generations.load(Ordering::SeqCst), 2);
    watched.handle.stop().await;
}

#[tokio::test]
async fn a_spent_budget_is_the_end() {
    let spec = script("echo trouble >&2; exit 1");
    let mut watched = Watched::start(spec, Arc::new(Engine::default()).factory());
    for _ in 0..3 {
        let pid = watched.starting().await;
        watched.down(pid).await;
    }
    let detail = watched.gave_up().await;
    let pid = detail.split(['(', ')']).nth(1).unwrap();
    insta::assert_snapshot!(detail.replace(pid, "pid PID"), @r#"
    replica r0 stays down: it failed again after 2 restarts within 3600 s; mend the cause and start it again. The last failure: /bin/sh (pid PID) ended before it was ready: exit status: 1; the end of its standard error:
      trouble
    "#);
    assert!(watched.is_over().await);
    watched.handle.stop().await;
}

#[tokio::test]
async fn a_process_that_missed_its_health_checks_is_killed_and_started_again() {
    let engine = Arc::new(Engine::default());
    let mut spec = script(GOOD);
    spec.policy.watch.interval = Duration::from_millis(1);
    let mut watched = Watched::start(spec, engine.factory());
    let first = watched.starting().await;
    watched.ready().await;
    engine.sick.store(true, Ordering::SeqCst);
    insta::assert_snapshot!(watched.down(first).await, @"[still there] /bin/sh (pid PID) missed 2 health checks in a row; the last: the engine broke off: it is sick; it wrote nothing to standard error");
    let second = watched.starting().await;
    assert!(!runs(first));
    engine.sick.store(false, Ordering::SeqCst);
    watched.ready().await;
    assert!(runs(second));
    watched.handle.stop().await;
}

#[tokio::test]
async fn a_process_that_is_late_is_killed_and_started_again() {
    let mut spec = script("exec cat >/dev/null");
    spec.policy.ready_timeout = Duration::from_millis(20);
    let mut watched = Watched::start(spec, Arc::new(Engine::default()).factory());
    let first = watched.starting().await;
    watched.down(first).await;
    let second = watched.starting().await;
    assert!(!runs(first) && first != second);
    watched.handle.stop().await;
}
