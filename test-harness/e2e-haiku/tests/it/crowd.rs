//! More connections than anybody wants, and fewer descriptors than that takes.

use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use test_harness_support::{Daemon, DaemonOptions, Ration, descriptors_of, memory_of, ration};

use crate::raw::told;
use crate::shell::Shell;
use crate::wire::Wire;
use crate::world::{World, eventually, exactly, throttle};

/// Idle connections of the big test.
const IDLE: usize = 10_000;
/// Descriptors that both sides of it need at the least.
const DESCRIPTORS_LEAST: u64 = 20_000;

/// Descriptors that this process may have, once it may have all that there are.
fn descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    limit.maximum.unwrap_or(u64::MAX)
}

#[tokio::test]
async fn ten_thousand_idle_connections_cost_little_and_others_are_served() {
    let allowed = descriptors();
    if allowed < DESCRIPTORS_LEAST {
        eprintln!(
            "skipped: {allowed} open files are allowed here, and it takes {DESCRIPTORS_LEAST}"
        );
        return;
    }
    let world = World::ready().await;
    let (url, pid) = (world.daemon.url(), world.daemon.pid());
    let before = memory_of(pid).unwrap().anonymous_bytes;
    let connecting = stream::iter(0..IDLE).map(|_| Wire::connect(url));
    let idle: Vec<Wire> = connecting.buffer_unordered(64).collect().await;
    let held = idle.len() as u64;
    eventually("all of them are accepted", async || {
        (descriptors_of(pid).unwrap() >= held).then_some(())
    })
    .await;
    let grown = memory_of(pid)
        .unwrap()
        .anonymous_bytes
        .saturating_sub(before);
    println!("{IDLE} idle connections take {} bytes each", grown / held);
    assert!(
        grown < 128 << 20,
        "{grown} bytes for {IDLE} idle connections"
    );

    let task = world.create(exactly(20, 1)).await.task_id;
    assert_eq!(told(&world.raw.story(&task).await).len(), 22);
    // One of the crowd wants something after all.
    let mut guest = idle.into_iter().last().unwrap();
    let request = guest.get("/readyz");
    assert_eq!(guest.ask(&request).await.status, 200);
}

#[tokio::test]
async fn without_descriptors_callers_wait_streams_go_on_and_nobody_asks_without_pause() {
    let options = throttle(50.0).env("ORCH_LOG", "info,orchestratord::serve=debug");
    let world = World::ready_with(options).await;
    let (url, pid) = (world.daemon.url(), world.daemon.pid());
    let task = world.create(exactly(80, 1)).await.task_id;
    let mut reader = world.raw.open(&task, None).await;
    reader.up_to_token(5).await;
    // What is open stays open; nothing more can be.
    ration(pid, Ration::OpenFiles, Some(1)).unwrap();
    let began = Instant::now();
    let mut late = Wire::connect(url).await;
    late.send(late.get("/healthz")).await.unwrap();
    let story = reader.rest().await;
    assert_eq!(story.last().unwrap().name, "end", "{story:#?}");
    let log = world.daemon.log();
    let tries = log.matches("cannot be accepted").count() + log.matches("still wait").count();
    // The stream took a second at least; a daemon that asks without pause has asked thousands of times.
    let expected = began.elapsed().as_millis() / 200 + 2;
    assert!(
        (2..=expected).contains(&(tries as u128)),
        "{tries} tries, not {expected}"
    );
    assert_eq!(log.matches("cannot be accepted").count(), 1);

    ration(pid, Ration::OpenFiles, None).unwrap();
    assert_eq!(late.reply().await.unwrap().status, 200);
    let again = world.create(exactly(2, 2)).await.task_id;
    assert_eq!(told(&world.raw.story(&again).await).len(), 4);
}

#[tokio::test]
async fn a_low_limit_of_open_files_is_told_and_leaves_enough_for_work() {
    let shell = Shell::new("ulimit -n 128 && exec");
    let options = DaemonOptions::default().program(&shell.program());
    let world = World::ready_with(options).await;
    let log = world.daemon.log();
    assert!(
        log.contains("128 open files leaves room for 64 connections"),
        "{log}"
    );
    assert!(log.contains("ulimit -n"), "{log}");
    // Callers take all that they are given, and work goes on beside them.
    let task = world.create(exactly(20, 1)).await.task_id;
    let mut crowd = Vec::new();
    let refused = loop {
        let mut wire = Wire::connect(world.daemon.url()).await;
        let request = wire.get("/v1/capabilities");
        let reply = wire.ask(&request).await;
        if reply.status != 200 {
            break reply;
        }
        crowd.push(wire);
    };
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(crowd.len() > 48, "{}", crowd.len());
    let reader = crowd.last_mut().unwrap();
    let request = reader.get(&format!("/v1/tasks/{task}/stream"));
    let story = reader.ask(&request).await;
    let story = String::from_utf8(story.body).unwrap();
    assert!(story.contains("event: end\n"), "{story}");
}

#[test]
fn every_descriptor_that_there_is_may_be_used() {
    let shell = Shell::new("ulimit -S -n 64 && exec");
    let daemon = Daemon::start(DaemonOptions::default().program(&shell.program()));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let mut figures = line.split_whitespace().skip(3);
    assert_eq!(figures.next(), figures.next(), "{line}");
    assert!(!daemon.log().contains("64 open files"), "{}", daemon.log());
}
