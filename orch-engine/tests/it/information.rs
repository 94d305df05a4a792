//! What the engine tells about itself and its model.

use serde_json::{Value, json};

use crate::engine::{Engine, sorted};

/// The digest in `models/haiku-tiny/SHA256SUMS`, which is of the very file that is compiled in.
fn digest_on_record() -> String {
    let sums = include_str!("../../../models/haiku-tiny/SHA256SUMS");
    let line = sums
        .lines()
        .find(|line| line.ends_with("  haiku-tiny-q8_0.gguf"));
    format!("sha256:{}", line.unwrap().split(' ').next().unwrap())
}

#[tokio::test]
async fn the_engine_and_its_model_are_named() {
    let engine = Engine::start(&[]).await;
    assert_eq!(engine.get_json("/health").await, json!({ "status": "ok" }));

    let mut props = engine.get_json("/props").await;
    let version = props["engine_version"].as_str().unwrap().to_owned();
    assert!(version.starts_with(concat!(
        "orch-engine-",
        env!("CARGO_PKG_VERSION"),
        "+candle-"
    )));
    assert_eq!(props["model_digest"], digest_on_record());
    props["engine_version"] = json!("<version>");
    props["build_info"] = json!("<version>");
    assert!(
        props["cpu"]
            .as_str()
            .unwrap()
            .starts_with(std::env::consts::ARCH)
    );
    props["cpu"] = json!("<features>");
    insta::assert_json_snapshot!("props", sorted(props));

    let mut models = engine.get_json("/v1/models").await;
    assert_eq!(models["models"][0]["digest"], digest_on_record());
    models["data"][0]["created"] = json!("<seconds>");
    insta::assert_json_snapshot!("models", sorted(models));
}

#[tokio::test]
async fn options_are_heard_from_flags_and_environment() {
    let mut command = crate::engine::command();
    command
        .args(["--ctx-size", "100", "--exit-on-stdin-eof"])
        .env("ORCH_ENGINE_CTX_SIZE", "200")
        .env("ORCH_ENGINE_ALIAS", "poet");
    let engine = Engine::started(command).await;
    let props = engine.get_json("/props").await;
    let told = ["model_alias", "model_path"].map(|name| props[name].clone());
    assert_eq!(told, ["poet", "embedded:haiku-tiny-q8_0.gguf"]);
    assert_eq!(
        props["default_generation_settings"]["n_ctx"], 100,
        "a flag wins"
    );
    assert_eq!(engine.get_json("/slots").await[0]["n_ctx"], 100);
}

#[tokio::test]
async fn what_was_done_is_counted() {
    let engine = Engine::start(&[]).await;
    for _ in 0..2 {
        engine
            .complete(&json!({ "prompt": "moon", "n_predict": 5, "ignore_eos": true }))
            .await;
    }
    // The begin token and four letters, twice.
    assert_eq!(engine.metric("prompt_tokens_total").await, 10.0);
    assert_eq!(engine.metric("tokens_predicted_total").await, 10.0);
    assert_eq!(engine.metric("n_tokens_max").await, 10.0);
    assert!(engine.metric("tokens_predicted_seconds_total").await > 0.0);
    assert_eq!(engine.metric("requests_processing").await, 0.0);
    assert_eq!(engine.metric("requests_deferred").await, 0.0);
    let reply = engine.get("/metrics").await;
    assert_eq!(reply.headers()["content-type"], "text/plain; version=0.0.4");
}

#[tokio::test]
async fn a_template_and_a_tokenizer_can_be_tried() {
    let engine = Engine::start(&[]).await;
    let messages = json!({ "messages": [
        { "role": "system", "content": "Be short." },
        { "role": "user", "content": "Write a haiku" },
    ] });
    let prompt = engine.post_json("/apply-template", &messages).await;
    assert_eq!(prompt, json!({ "prompt": "Be short.\nWrite a haiku\n" }));

    let tokenize = async |body: Value| engine.post_json("/tokenize", &body).await["tokens"].clone();
    let text = "a haiku</s>";
    let plain = tokenize(json!({ "content": text })).await;
    let pieces = tokenize(json!({ "content": text, "with_pieces": true })).await;
    let ids: Vec<&Value> = pieces
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["id"])
        .collect();
    assert_eq!(json!(ids), plain);
    let texts: Vec<&Value> = pieces
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["piece"])
        .collect();
    assert_eq!(json!(texts), json!(["a", " haiku", "</s>"]));
    let bytes = tokenize(json!({ "content": "\u{e9}", "with_pieces": true })).await;
    assert_eq!(
        [&bytes[0]["piece"], &bytes[1]["piece"]],
        [&json!([195]), &json!([169])]
    );
}
