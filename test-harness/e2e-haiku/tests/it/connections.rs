//! What callers may do to their connections, by accident or on purpose: the daemon answers clearly, gives up
//! what goes nowhere, and serves everyone else meanwhile.

use std::time::Duration;

use api_client::types::TaskState;
use serde_json::json;
use test_harness_support::{DaemonOptions, memory_of};
use tokio::time::Instant;

use crate::raw::told;
use crate::wire::Wire;
use crate::world::{World, eventually, exactly, plain, throttle, with};

/// How long heads and bodies may take here.
const LIMIT_MS: u64 = 400;
/// Pause between two bytes of a slow sender.
const DRIP: Duration = Duration::from_millis(20);

fn impatient() -> DaemonOptions {
    DaemonOptions::default().config(&format!(
        "[server]\nhead_timeout_ms = {LIMIT_MS}\nbody_timeout_ms = {LIMIT_MS}\n"
    ))
}

#[tokio::test]
async fn requests_in_one_go_are_answered_one_by_one_in_their_order() {
    let world = World::ready().await;
    let id = "019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a";
    let mut wire = Wire::connect(world.daemon.url()).await;
    let body = with(exactly(3, 7), "task_id", id).to_string();
    let requests: Vec<String> = (0..50)
        .map(|_| wire.get("/healthz"))
        .chain([
            wire.post("/v1/tasks", &body),
            // What came before it in the same go is done when it is looked at.
            wire.get(&format!("/v1/tasks/{id}/stream")),
            wire.get(&format!("/v1/tasks/{id}")),
            wire.get("/v1/cats"),
            wire.get("/healthz"),
        ])
        .collect();
    wire.send(requests.concat()).await.unwrap();
    for _ in 0..50 {
        let reply = wire.reply().await.unwrap();
        assert_eq!(
            (reply.status, reply.json()["status"].as_str()),
            (200, Some("ok"))
        );
    }
    let created = wire.reply().await.unwrap();
    assert_eq!(
        (created.status, &created.json()["task_id"]),
        (202, &json!(id))
    );
    let story = wire.reply().await.unwrap();
    let story = String::from_utf8(story.body).unwrap();
    assert_eq!(story.matches("event: token\n").count(), 3, "{story}");
    assert!(story.contains("event: end\n"), "{story}");
    let task = wire.reply().await.unwrap();
    assert_eq!(task.json()["state"], "completed");
    assert_eq!(wire.reply().await.unwrap().status, 404);
    assert_eq!(wire.reply().await.unwrap().status, 200);
}

#[tokio::test]
async fn who_sends_nothing_more_still_gets_the_reply_and_has_left_a_stream() {
    let world = World::throttled(20.0).await;
    let url = world.daemon.url();
    let mut asks = Wire::connect(url).await;
    asks.send(asks.get("/v1/capabilities")).await.unwrap();
    asks.half_close().await;
    assert_eq!(asks.reply().await.unwrap().status, 200);
    assert_eq!(asks.until_closed().await, 0);

    let mut creates = Wire::connect(url).await;
    let body = exactly(400, 1).to_string();
    creates
        .send(creates.post("/v1/tasks", &body))
        .await
        .unwrap();
    creates.half_close().await;
    let created = creates.reply().await.unwrap();
    assert_eq!(created.status, 202);

    // The second task waits, so nothing but the closing itself tells that its reader has left.
    let running = created.json()["task_id"].as_str().unwrap().parse().unwrap();
    world.raw.open(&running, None).await.up_to("token").await;
    let waits = world.create(exactly(1, 2)).await.task_id;
    let mut reader = Wire::connect(url).await;
    reader
        .send(reader.get(&format!("/v1/tasks/{waits}/stream")))
        .await
        .unwrap();
    assert!(reader.stream_head().await.starts_with("HTTP/1.1 200"));
    reader.half_close().await;
    let seen = String::from_utf8(reader.chunks().await).unwrap();
    assert!(!seen.contains("event: end"), "{seen}");
    assert_eq!(world.task(&waits).await.state, TaskState::Queued);
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_given_up() {
    let world = World::with(impatient());
    let url = world.daemon.url();
    let limit = Duration::from_millis(LIMIT_MS);
    let mut silent = Wire::connect(url).await;
    let mut idle = Wire::connect(url).await;
    let mut half = Wire::connect(url).await;
    let mut slow = Wire::connect(url).await;
    let request = idle.get("/healthz");
    assert_eq!(idle.ask(&request).await.status, 200);
    half.send("GET /healthz HTTP/1.1\r\nho").await.unwrap();
    slow.send("GET /healthz HTTP/1.1\r\nx: ").await.unwrap();
    let (silent, idle, half, (reply, took)) = tokio::join!(
        silent.until_closed(),
        idle.until_closed(),
        half.until_closed(),
        slow.drip(b"x", DRIP),
    );
    assert_eq!((silent, idle, half), (0, 0, 0));
    assert!(reply.is_none(), "{reply:?}");
    assert!(took >= limit / 2, "{took:?}");
    // Nobody else has noticed.
    assert_eq!(world.raw.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_answered_and_nothing_is_done() {
    let world = World::with(impatient());
    for framing in ["content-length: 1000", "transfer-encoding: chunked"] {
        let mut wire = Wire::connect(world.daemon.url()).await;
        let head = format!(
            "POST /v1/tasks HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
        );
        wire.send(head).await.unwrap();
        let piece: &[u8] = if framing.starts_with('c') {
            b" "
        } else {
            b"1\r\n \r\n"
        };
        let (reply, _) = wire.drip(piece, DRIP).await;
        let reply = reply.expect("a reply, not only an end");
        let problem = reply.json();
        assert_eq!(
            (reply.status, &problem["code"]),
            (408, &json!("REQUEST_TIMEOUT"))
        );
        assert_eq!(problem["limit_name"], "server.body_timeout_ms", "{problem}");
        assert_eq!(problem["retriable"], true, "{problem}");
        wire.until_closed().await;
    }
    let tasks = world.raw.get("/v1/tasks").await.json();
    assert_eq!(tasks["tasks"], json!([]), "{tasks}");
    // A body that is long and comes in time is no trouble.
    let long = with(plain(), "metadata", json!({ "note": "x".repeat(512) }));
    assert_eq!(world.raw.create(&long).await.status, 202);
}

#[tokio::test]
async fn heads_beyond_all_measure_are_refused_and_cost_nothing() {
    let world = World::ready().await;
    let url = world.daemon.url();
    let before = memory_of(world.daemon.pid()).unwrap().anonymous_bytes;
    let many = "x-a: b\r\n".repeat(500);
    let long = "x".repeat(8 << 20);
    let requests = [
        (
            "many headers",
            431,
            format!("GET /healthz HTTP/1.1\r\n{many}\r\n"),
        ),
        (
            "a long header",
            431,
            format!("GET /healthz HTTP/1.1\r\nx: {long}\r\n\r\n"),
        ),
        (
            "a header without end",
            431,
            format!("GET /healthz HTTP/1.1\r\n{long}"),
        ),
        ("a long path", 431, format!("GET /{long} HTTP/1.1\r\n\r\n")),
        ("a long method", 431, format!("{long} / HTTP/1.1\r\n\r\n")),
        (
            "no HTTP",
            400,
            "\u{0}\u{1}\u{2} nothing of the kind\r\n\r\n".to_owned(),
        ),
        ("another version", 400, "GET / HTTP/9.9\r\n\r\n".to_owned()),
        (
            "a header without name",
            400,
            "GET / HTTP/1.1\r\n: x\r\n\r\n".to_owned(),
        ),
        (
            "a length that is none",
            400,
            "POST /v1/tasks HTTP/1.1\r\ncontent-length: -1\r\n\r\n".to_owned(),
        ),
        (
            "two lengths",
            400,
            "POST /v1/tasks HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
        ),
        (
            "an encoding that hides the length",
            400,
            "POST /v1/tasks HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n".to_owned(),
        ),
    ];
    for (what, status, request) in requests {
        let mut wire = Wire::connect(url).await;
        // The refusal may come, and the connection end, before all of it is sent.
        let _refused_early = wire.send(&request).await;
        let got = wire.reply().await.map(|reply| reply.status);
        assert!(got.is_none_or(|got| got == status), "{what}: {got:?}");
        let early = request.len() > 1 << 20;
        assert!(got.is_some() || early, "{what} is answered");
        wire.until_closed().await;
        assert_eq!(world.raw.get("/healthz").await.status, 200, "{what}");
    }
    let after = memory_of(world.daemon.pid()).unwrap().anonymous_bytes;
    let grown = after.saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes more after refused heads");
}

#[tokio::test]
async fn whoever_comes_to_a_full_house_is_told_so_and_tasks_go_on() {
    let options = throttle(200.0).config("[server]\nconnections_max = 4\n");
    let world = World::ready_with(options).await;
    let url = world.daemon.url();
    let task = world.create(exactly(40, 3)).await.task_id;
    let reader = world.raw.open(&task, None).await;
    let mut idle = Vec::new();
    let refused = loop {
        let mut wire = Wire::connect(url).await;
        let request = wire.get("/v1/capabilities");
        let reply = wire.ask(&request).await;
        match reply.status {
            200 => idle.push(wire),
            503 => {
                wire.until_closed().await;
                break reply;
            }
            other => panic!("{other}: {reply:?}"),
        }
    };
    assert!((1..=3).contains(&idle.len()), "{}", idle.len());
    let problem = refused.json();
    assert_eq!(problem["code"], "NOT_READY", "{problem}");
    assert_eq!(problem["limit_name"], "server.connections_max", "{problem}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("connection"), Some("close"));
    assert_eq!(
        refused.header("x-correlation-id"),
        problem["correlation_id"].as_str()
    );
    // A body is taken before the answer, which would be lost otherwise.
    let mut wire = Wire::connect(url).await;
    let long = wire.post("/v1/tasks", &"x".repeat(4 << 20));
    assert_eq!(wire.ask(&long).await.status, 503);
    wire.until_closed().await;
    // Whoever looks after the daemon is told the truth.
    for path in ["/healthz", "/readyz", "/metrics"] {
        let mut probe = Wire::connect(url).await;
        let reply = probe.ask(&probe.get(path)).await;
        assert_eq!(reply.status, 200, "{path}");
        if path == "/metrics" {
            let metrics = String::from_utf8(reply.body).unwrap();
            assert!(
                metrics.lines().any(|line| line == "connections_open 4"),
                "{metrics}"
            );
            let refused = "connections_refused_total ";
            assert!(
                metrics.lines().any(|line| line.starts_with(refused)),
                "{metrics}"
            );
        }
        probe.until_closed().await;
    }
    let story = told(&reader.rest().await);
    assert_eq!((story.len(), &*story[41].name), (42, "end"));
    // Who leaves makes room.
    drop(idle);
    eventually("somebody else has room", async || {
        let mut wire = Wire::connect(url).await;
        let request = wire.get("/v1/capabilities");
        (wire.ask(&request).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_has_asked_nothing_does_not_hold_up_the_end_of_the_daemon() {
    // Longer than the harness waits for a daemon that was asked to end.
    let options = throttle(20.0).config("[server]\nshutdown_grace_ms = 600000\n");
    let mut world = World::ready_with(options).await;
    let url = world.daemon.url().to_owned();
    let task = world.create(exactly(400, 1)).await.task_id;
    let mut reader = world.raw.open(&task, None).await;
    reader.up_to("token").await;
    let mut half = Wire::connect(&url).await;
    half.send("GET /healthz HTTP/1.1\r\nho").await.unwrap();
    let mut idle = Wire::connect(&url).await;
    let request = idle.get("/healthz");
    assert_eq!(idle.ask(&request).await.status, 200);
    assert_eq!(world.daemon.terminate().code(), Some(0));
    assert_eq!(
        (half.until_closed().await, idle.until_closed().await),
        (0, 0)
    );
    let rest = reader.rest().await;
    assert!(rest.iter().all(|event| event.name != "end"), "{rest:#?}");
}

#[tokio::test]
async fn a_silent_crowd_keeps_nobody_from_being_told_or_from_a_free_place() {
    let options = DaemonOptions::default().config("[server]\nconnections_max = 4\n");
    let world = World::with(options);
    let url = world.daemon.url();
    let mut guests = Vec::new();
    let request = loop {
        let mut wire = Wire::connect(url).await;
        let request = wire.get("/v1/capabilities");
        match wire.ask(&request).await.status {
            200 => guests.push(wire),
            status => {
                assert_eq!(status, 503);
                break request;
            }
        }
    };
    let began = Instant::now();
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(Wire::connect(url).await);
    }
    let mut late = Wire::connect(url).await;
    assert_eq!(late.ask(&request).await.status, 503);
    drop(guests);
    eventually("a free place is taken", async || {
        let mut next = Wire::connect(url).await;
        (next.ask(&request).await.status == 200).then_some(())
    })
    .await;
    // The silent ones would have been given up then, and made room by themselves.
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    drop(crowd);
}
