//! `--max-tokens-per-second` is a promise about time: never faster.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::engine::{Engine, Events};

#[tokio::test]
async fn tokens_never_come_faster_than_the_throttle_allows() {
    let engine = Engine::start(&["--max-tokens-per-second", "50"]).await;
    let body = json!({ "prompt": "moon", "n_predict": 20, "ignore_eos": true, "stream": true });
    let began = Instant::now();
    let mut events = Events::of(engine.post("/completion", &body).await);
    let mut n = 0;
    while let Some(frame) = events.next().await.unwrap() {
        if frame["stop"] == false {
            n += 1;
            // The first is free; each of the others takes 20 ms from the one before.
            let least = Duration::from_millis(20) * (n - 1);
            assert!(
                began.elapsed() >= least,
                "token {n} after {:?}",
                began.elapsed()
            );
        }
    }
    assert_eq!(n, 20);

    // The bucket is the engine's, not the request's: the next request does not get a token free.
    engine
        .complete(&json!({ "prompt": "moon", "n_predict": 6, "ignore_eos": true }))
        .await;
    assert!(began.elapsed() >= Duration::from_millis(20) * 25);
}
