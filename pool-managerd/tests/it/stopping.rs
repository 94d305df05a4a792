//! Stopping: by the end of standard input, by the kill after the grace, and by dropping the handle.

use std::sync::Arc;
use std::time::Duration;

use pool_managerd::EngineSpec;

use crate::support::{Engine, GOOD, Watched, runs, script, wait_for_end};

async fn started(spec: EngineSpec) -> (Watched, u32) {
    let mut watched = Watched::start(spec, Arc::new(Engine::default()).factory());
    let pid = watched.starting().await;
    watched.ready().await;
    (watched, pid)
}

#[tokio::test]
async fn a_stop_ends_standard_input_and_waits_for_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ended in order");
    let mut spec = script("echo listening on http://127.0.0.1:1; cat >/dev/null; : > \"$MARK\"");
    spec.env = vec![("MARK".into(), mark.clone().into())];
    let (watched, pid) = started(spec).await;
    assert!(!mark.exists());
    watched.handle.stop().await;
    assert!(!runs(pid) && mark.exists());
}

#[tokio::test]
async fn a_process_that_does_not_heed_is_killed_after_the_grace() {
    let mut spec = script("echo listening on http://127.0.0.1:1; exec sleep 600");
    spec.policy.stop_grace = Duration::from_millis(20);
    let (watched, pid) = started(spec).await;
    watched.handle.stop().await;
    assert!(!runs(pid));
}

#[tokio::test]
async fn a_process_that_was_not_ready_is_stopped_too() {
    let mut watched = Watched::start(
        script("exec cat >/dev/null"),
        Arc::new(Engine::default()).factory(),
    );
    let pid = watched.starting().await;
    watched.handle.stop().await;
    assert!(!runs(pid));
}

#[tokio::test]
async fn a_stop_is_heard_although_nobody_reads_the_events() {
    let mut spec = script("exit 1");
    spec.policy.budget.restarts = 1_000;
    let watched = Watched::start(spec, Arc::new(Engine::default()).factory());
    // Far more events than the channel holds are on their way.
    watched.handle.stop().await;
}

#[tokio::test]
async fn dropping_the_handle_kills() {
    let spec = script("echo listening on http://127.0.0.1:1; exec sleep 600");
    let (watched, pid) = started(spec).await;
    drop(watched);
    tokio::task::spawn_blocking(move || wait_for_end(pid))
        .await
        .unwrap();
}

#[test]
fn the_end_of_the_runtime_kills() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (_watched, pid) = runtime.block_on(started(script(GOOD)));
    drop(runtime);
    wait_for_end(pid);
}
