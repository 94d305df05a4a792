//! The real embedded engine, supervised and spoken to through the real adapter, which itself is held to its
//! suite where it lives. The binary comes from the
//! same build; `cargo build -p orch-engine` makes it, `ORCH_POOL_ENGINE_BINARY` names another.

use std::sync::Arc;
use std::time::Duration;

use llamacpp_http::{LlamacppAdapter, Timeouts};
use pool_managerd::{AdapterFactory, EngineSpec, locate_engine};
use test_harness_adapter_suite::{Kind, collect, generation, live};
use worker_adapter::{Adapter, Prompt};

use crate::support::{Watched, kill, policy, runs};

fn adapters() -> AdapterFactory {
    Arc::new(|url| Ok(Arc::new(LlamacppAdapter::new(url, Timeouts::default())?)))
}

fn spec(args: &[&str]) -> EngineSpec {
    let command = locate_engine(None).unwrap_or_else(|error| panic!("{error}"));
    let mut spec = EngineSpec::new("default-0", command);
    spec.args = ["--exit-on-stdin-eof"]
        .iter()
        .chain(args)
        .map(Into::into)
        .collect();
    spec.policy = policy();
    spec
}

async fn started(args: &[&str]) -> (Watched, u32, Arc<dyn Adapter>) {
    let mut watched = Watched::start(spec(args), adapters());
    let pid = watched.starting().await;
    let (_, facts, adapter) = watched.ready().await;
    let told = live::cases::tells_its_facts(&adapter).await;
    assert_eq!(facts, told, "the engine tells its digest itself");
    (watched, pid, adapter)
}

#[tokio::test]
async fn real_engine_stops_at_the_end_of_its_standard_input() {
    // The grace of the policy is longer than this test may take: a kill is not what ends it.
    let (watched, pid, _) = started(&[]).await;
    watched.handle.stop().await;
    assert!(!runs(pid));
}

#[tokio::test]
async fn real_engine_killed_in_mid_stream_breaks_off_and_says_the_same_after_the_restart() {
    let (mut watched, pid, adapter) = started(&[]).await;
    let asked = generation(Prompt::Chat("Write a poem.".to_owned()), 32);
    let (whole, result) = collect(adapter.generate(asked.clone()).await.unwrap()).await;
    assert_eq!(result, Ok(()));
    // Throttled, so that it cannot have ended before it is killed.
    let (mut slow, slow_pid, throttled) = started(&["--max-tokens-per-second", "4"]).await;
    let stream = throttled.generate(asked.clone()).await.unwrap();
    kill(slow_pid);
    let (events, result) = collect(stream).await;
    let kind = result.as_ref().err().map(Kind::from);
    assert_eq!(kind, Some(Kind::Reset), "{result:?}");
    assert!(whole.starts_with(&events), "{events:?}");
    slow.down(slow_pid).await;
    assert!(!runs(slow_pid));
    slow.handle.stop().await;
    kill(pid);
    watched.down(pid).await;
    watched.starting().await;
    let (_, _, adapter) = watched.ready().await;
    let (again, _) = collect(adapter.generate(asked).await.unwrap()).await;
    assert_eq!(again, whole);
    watched.handle.stop().await;
}

#[tokio::test]
async fn real_engine_that_cannot_read_its_model_says_so() {
    let mut spec = spec(&["--model", "/nowhere/model.gguf"]);
    spec.policy.budget.restarts = 0;
    spec.policy.ready_timeout = Duration::from_secs(30);
    let mut watched = Watched::start(spec, adapters());
    let pid = watched.starting().await;
    let down = watched.down(pid).await;
    assert!(down.contains("/nowhere/model.gguf"), "{down}");
    watched.gave_up().await;
}
