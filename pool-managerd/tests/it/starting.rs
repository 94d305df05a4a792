//! From the start to the proof, and what can go wrong on the way.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pool_managerd::EngineSpec;
use worker_adapter::AdapterError;

use crate::support::{DIGEST, Engine, GOOD, Watched, policy, script};

#[tokio::test]
async fn ready_means_healthy_and_decoded() {
    let engine = Arc::new(Engine::default());
    engine.loading.store(3, Ordering::SeqCst);
    let mut watched = Watched::start(script(GOOD), engine.factory());
    watched.starting().await;
    let (url, facts, adapter) = watched.ready().await;
    assert_eq!(url, "http://127.0.0.1:1");
    assert_eq!(facts.model_digest.as_deref(), Some(DIGEST));
    assert_eq!(engine.generations.load(Ordering::SeqCst), 1);
    assert_eq!(engine.loading.load(Ordering::SeqCst), 0);
    assert!(adapter.health().await.is_ok());
    watched.handle.stop().await;
}

#[tokio::test]
async fn a_digest_that_the_engine_does_not_tell_is_computed_from_its_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "abc").unwrap();
    let engine = Arc::new(Engine::default());
    *engine.model_path.lock().unwrap() = Some(file.path().display().to_string());
    let mut watched = Watched::start(script(GOOD), engine.factory());
    watched.starting().await;
    let (_, facts, _) = watched.ready().await;
    assert_eq!(
        facts.model_digest.as_deref(),
        Some("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    );
    watched.handle.stop().await;
}

/// The first thing that goes wrong with this process.
async fn first_failure(spec: EngineSpec, engine: &Arc<Engine>) -> String {
    let mut watched = Watched::start(spec, engine.factory());
    let pid = watched.starting().await;
    let down = watched.down(pid).await;
    watched.handle.stop().await;
    down
}

#[tokio::test]
async fn a_process_that_ends_at_once() {
    let spec = script("echo cannot bind >&2; echo it is in use >&2; exit 7");
    insta::assert_snapshot!(first_failure(spec, &Arc::default()).await, @r#"
    [exit status: 7] /bin/sh (pid PID) ended before it was ready: exit status: 7; the end of its standard error:
      cannot bind
      it is in use
    "#);
}

#[tokio::test]
async fn a_process_that_prints_garbage() {
    let spec = script("printf '\\377\\376\\000%9000s' x; printf '\\377\\033[2J\\n' >&2; exit 0");
    insta::assert_snapshot!(first_failure(spec, &Arc::default()).await, @r#"
    [exit status: 0] /bin/sh (pid PID) ended before it was ready: exit status: 0; the end of its standard error:
      ��[2J
    "#);
}

#[tokio::test]
async fn a_process_that_never_tells_where_it_listens() {
    let mut spec = script("echo here I am; exec cat >/dev/null");
    spec.policy.ready_timeout = Duration::from_millis(50);
    insta::assert_snapshot!(first_failure(spec, &Arc::default()).await, @"[still there] /bin/sh (pid PID) was not ready after 50 ms (give it longer if it is only slow): it has not printed `listening on http://HOST:PORT` on standard output; it wrote nothing to standard error");
}

#[tokio::test]
async fn an_engine_that_does_not_decode() {
    let engine = Arc::new(Engine::default());
    *engine.refuses.lock().unwrap() = Some(AdapterError::Refused("no such model".to_owned()));
    insta::assert_snapshot!(first_failure(script(GOOD), &engine).await, @"[still there] /bin/sh (pid PID) cannot be used: the engine refused the request: no such model; it wrote nothing to standard error");
}

#[tokio::test]
async fn a_model_file_that_cannot_be_read() {
    let engine = Arc::new(Engine::default());
    *engine.model_path.lock().unwrap() = Some("models/none.gguf".to_owned());
    insta::assert_snapshot!(first_failure(script(GOOD), &engine).await, @"[still there] /bin/sh (pid PID) cannot be used: its model file models/none.gguf cannot be read: No such file or directory (os error 2); start it with an absolute path that this program may read; it wrote nothing to standard error");
}

#[tokio::test]
async fn a_command_that_is_not_there() {
    let mut spec = EngineSpec::new("r0", "/nowhere/orch-engine");
    spec.policy = policy();
    spec.policy.budget.restarts = 0;
    let mut watched = Watched::start(spec, Arc::new(Engine::default()).factory());
    insta::assert_snapshot!(watched.down(0).await, @"[still there] /nowhere/orch-engine cannot be started: No such file or directory (os error 2); check that the path is right and that the file may be executed");
    insta::assert_snapshot!(watched.gave_up().await, @"replica r0 stays down: it failed, and no restarts are allowed; mend the cause and start it again. The last failure: /nowhere/orch-engine cannot be started: No such file or directory (os error 2); check that the path is right and that the file may be executed");
    assert!(watched.is_over().await);
}
