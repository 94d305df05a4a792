//! A supervisor that is killed takes its engine with it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use pool_managerd::{EngineSpec, locate_engine};

use crate::support::{Engine, GOOD, Watched, policy, runs, script, wait_for_end};

/// Set for the victim alone: what it is to supervise.
const VICTIM: &str = "ORCH_TEST_VICTIM";

/// The victim, run by the tests below in a process of its own: supervises until it is killed.
#[tokio::test]
#[ignore = "run by the tests beside it"]
async fn victim() {
    let spec = match std::env::var(VICTIM).as_deref() {
        Ok("script") => script(GOOD),
        Ok("engine") => {
            let mut spec = EngineSpec::new("r0", locate_engine(None).unwrap());
            spec.args = vec!["--exit-on-stdin-eof".into()];
            spec.policy = policy();
            spec
        }
        // Nobody asked for a victim.
        _ => return,
    };
    let mut watched = Watched::start(spec, Arc::new(Engine::default()).factory());
    let pid = watched.starting().await;
    watched.ready().await;
    println!("\nvictim's engine: {pid}");
    std::future::pending::<()>().await;
}

fn kill_the_supervisor_of(what: &str) {
    let mut supervisor = Command::new(std::env::current_exe().unwrap())
        .args(["orphan::victim", "--exact", "--ignored", "--nocapture"])
        .env(VICTIM, what)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(supervisor.stdout.take().unwrap()).lines();
    let pid = lines.find_map(|line| {
        line.unwrap()
            .strip_prefix("victim's engine: ")?
            .parse()
            .ok()
    });
    let engine = pid.expect("the victim supervises an engine");
    assert!(runs(engine));
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    wait_for_end(engine);
}

#[test]
fn a_killed_supervisor_takes_a_script_with_it() {
    kill_the_supervisor_of("script");
}

#[test]
fn a_killed_supervisor_takes_the_real_engine_with_it() {
    kill_the_supervisor_of("engine");
}
