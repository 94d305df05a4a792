//! Ends from outside: a client that leaves, a line that grows, a parent that dies, a signal.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::engine::{Engine, Events};

/// A generation that would go on for minutes: one token a second to the end of the context.
const SLOW: [&str; 2] = ["--max-tokens-per-second", "1"];

fn endless(stream: bool) -> Value {
    json!({ "prompt": "moon", "ignore_eos": true, "stream": stream })
}

#[tokio::test]
async fn a_reader_that_leaves_frees_the_slot() {
    let engine = Engine::start(&SLOW).await;
    let mut events = Events::of(engine.post("/completion", &endless(true)).await);
    assert_eq!(events.next().await.unwrap().unwrap()["tokens_predicted"], 1);
    let slots = engine.get_json("/slots").await;
    assert_eq!(slots[0]["is_processing"], true);
    assert_eq!(slots[0]["n_prompt_tokens"], 5);
    let busy = engine.get("/slots?fail_on_no_slot=1").await;
    assert_eq!(busy.status(), 503);
    drop(events);
    engine
        .until("the slot is free", async || !engine.is_processing().await)
        .await;
    assert_eq!(engine.get("/slots?fail_on_no_slot=1").await.status(), 200);
}

#[tokio::test]
async fn a_client_that_waits_for_the_whole_and_leaves_frees_the_slot() {
    let engine = Engine::start(&SLOW).await;
    let request = engine.request("POST", "/completion").json(&endless(false));
    let waiting = tokio::spawn(request.send());
    engine
        .until("the request is served", async || {
            engine.is_processing().await
        })
        .await;
    waiting.abort();
    engine
        .until("the slot is free", async || !engine.is_processing().await)
        .await;
}

#[tokio::test]
async fn requests_wait_in_line_and_the_line_has_an_end() {
    let engine = Engine::start(&SLOW).await;
    let mut inside = Events::of(engine.post("/completion", &endless(true)).await);
    inside.next().await.unwrap();
    let short = json!({ "prompt": "moon", "n_predict": 1 });
    let in_line: Vec<_> = (0..64)
        .map(|_| tokio::spawn(engine.request("POST", "/completion").json(&short).send()))
        .collect();
    engine
        .until("all are in line", async || {
            engine.metric("requests_deferred").await == 64.0
        })
        .await;
    let refused = engine.post("/completion", &short).await;
    assert_eq!(refused.status(), 503);
    let error: Value = refused.json().await.unwrap();
    insta::assert_snapshot!(error, @r#"{"error":{"code":503,"message":"64 requests are waiting already","type":"unavailable_error"}}"#);

    let mut in_line = in_line.into_iter();
    let (first, second) = (in_line.next().unwrap(), in_line.next().unwrap());
    first.abort();
    for other in in_line {
        other.abort();
    }
    engine
        .until("those who left are forgotten", async || {
            engine.metric("requests_deferred").await == 1.0
        })
        .await;
    drop(inside);
    let served: Value = second.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(served["tokens_predicted"], 1);
}

#[tokio::test]
async fn the_end_of_standard_input_ends_the_process() {
    let mut engine = Engine::start(&SLOW).await;
    let mut events = Events::of(engine.post("/completion", &endless(true)).await);
    events.next().await.unwrap();
    drop(engine.stdin.take());
    assert!(engine.ended().await.success());
    assert!(
        broken_off(events).await,
        "a cut stream must not look finished"
    );
}

#[tokio::test]
async fn a_signal_ends_the_process() {
    for signal in ["TERM", "INT"] {
        let mut engine = Engine::start(&SLOW).await;
        let mut events = Events::of(engine.post("/completion", &endless(true)).await);
        events.next().await.unwrap();
        let waiting = engine.request("POST", "/completion").json(&endless(false));
        let waiting = tokio::spawn(waiting.send());
        engine
            .until("one is in line", async || {
                engine.metric("requests_deferred").await == 1.0
            })
            .await;
        let sent = std::process::Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(engine.process_id().to_string())
            .status();
        assert!(sent.unwrap().success());
        let refused = waiting.await.unwrap().unwrap();
        assert_eq!(refused.status(), 503, "who is in line is told");
        assert!(engine.ended().await.success());
        assert!(
            broken_off(events).await,
            "a cut stream must not look finished"
        );
    }
}

async fn broken_off(mut events: Events) -> bool {
    loop {
        match events.next().await {
            Err(_) => return true,
            Ok(None) => return false,
            Ok(Some(frame)) => assert_eq!(frame["stop"], false),
        }
    }
}

#[tokio::test]
async fn without_the_flag_standard_input_does_not_matter() {
    let mut command = crate::engine::command();
    command.stdin(Stdio::null());
    let mut engine = Engine::started(command).await;
    drop(engine.stdin.take());
    engine
        .complete(&json!({ "prompt": "moon", "n_predict": 5 }))
        .await;
    assert_eq!(engine.get("/health").await.status(), 200);
}
