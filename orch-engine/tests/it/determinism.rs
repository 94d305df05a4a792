//! Same request, same seed, same bytes.

use serde_json::{Value, json};

use crate::engine::Engine;

fn haiku(seed: i64) -> Value {
    json!({ "prompt": crate::haiku::prompt("seven", "Zz9Zz9Zz"), "seed": seed, "n_predict": 60 })
}

async fn text(engine: &Engine, body: &Value) -> String {
    engine.complete(body).await["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_request_gives_the_same_bytes_whatever_came_before_and_wherever() {
    let one = Engine::start(&[]).await;
    let mut command = crate::engine::command();
    command
        .args(["--threads", "2", "--exit-on-stdin-eof"])
        .env("CANDLE_DEQUANTIZE_ALL", "1");
    let two = Engine::started(command).await;
    let first = text(&one, &haiku(11)).await;
    // Prompts of other lengths, longer and shorter, leave nothing behind.
    text(
        &one,
        &json!({ "prompt": "moon ".repeat(100), "n_predict": 40 }),
    )
    .await;
    text(&one, &json!({ "prompt": "a", "n_predict": 3 })).await;
    assert_eq!(text(&one, &haiku(11)).await, first);
    assert_eq!(
        text(&two, &haiku(11)).await,
        first,
        "another process, with more threads and an environment that would change the arithmetic"
    );
}

#[tokio::test]
async fn another_seed_gives_another_text() {
    let engine = Engine::start(&[]).await;
    let mut texts = Vec::new();
    for seed in 1..=8 {
        texts.push(text(&engine, &haiku(seed)).await);
    }
    texts.sort();
    texts.dedup();
    assert!(texts.len() > 4, "{texts:?}");
}

#[tokio::test]
async fn a_drawn_seed_is_told_and_can_be_used_again() {
    let engine = Engine::start(&[]).await;
    let drawn = engine.complete(&haiku(-1)).await;
    let seed = drawn["generation_settings"]["seed"].as_i64().unwrap();
    assert_ne!(seed, 4_294_967_295);
    assert_eq!(text(&engine, &haiku(seed)).await, drawn["content"]);
    let again = engine.complete(&haiku(4_294_967_295)).await;
    assert_ne!(again["generation_settings"]["seed"], seed, "drawn anew");
}
