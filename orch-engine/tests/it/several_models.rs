//! Several models, one of them in memory at a time.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::engine::{Engine, Events, command};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.gguf"))
}

/// An engine with the model that is compiled in as `haiku`, and a second file as `other`.
async fn engine_with(other: &Path, more: &[&str]) -> Engine {
    let mut command = command();
    command
        .args(["--model", "embedded:haiku-tiny", "--alias", "haiku"])
        .arg("--model")
        .arg(other)
        .args(["--alias", "other", "--exit-on-stdin-eof"])
        .args(more);
    Engine::started(command).await
}

/// `name=status` of every model.
async fn standing(engine: &Engine) -> String {
    let models = engine.get_json("/models").await;
    let told = models["data"].as_array().unwrap().iter().map(|model| {
        let status = &model["status"];
        let failed = if status["failed"] == true { "!" } else { "" };
        assert_eq!(status["value"] == "loaded", model["meta"].is_object());
        format!("{}={}{failed}", model["id"], status["value"]).replace('"', "")
    });
    told.collect::<Vec<_>>().join(" ")
}

fn short(model: &str) -> Value {
    json!({ "model": model, "prompt": "moon", "n_predict": 3, "seed": 7, "ignore_eos": true })
}

fn endless(model: &str) -> Value {
    json!({ "model": model, "prompt": "moon", "ignore_eos": true, "stream": true })
}

#[tokio::test]
async fn requests_choose_a_model_and_get_what_it_alone_would_say() {
    let file = fixture("llama-bpe");
    let engine = engine_with(&file, &["--ctx-size", "128"]).await;
    assert_eq!(standing(&engine).await, "haiku=loaded other=unloaded");
    let mut alone = command();
    alone.arg("--model").arg(&file).arg("--exit-on-stdin-eof");
    let alone = Engine::started(alone).await;

    let said = engine.complete(&short("other")).await;
    assert_eq!(said["model"], "other");
    let expected = alone.complete(&short("whatever it is called")).await;
    assert_eq!(said["content"], expected["content"]);
    assert_eq!(standing(&engine).await, "haiku=unloaded other=loaded");

    let digest = async |path: &str| engine.get_json(path).await["model_digest"].clone();
    let of_other = digest("/props").await;
    assert_eq!(of_other, alone.get_json("/props").await["model_digest"]);
    assert_eq!(engine.get_json("/slots").await[0]["model"], "other");
    let of_haiku = digest("/props?model=haiku").await;
    assert_ne!(of_haiku, of_other);
    assert_eq!(
        digest("/props").await,
        of_haiku,
        "the one that is there is meant"
    );
    let props = engine.get_json("/props?model=other").await;
    assert_eq!(props["model_alias"], "other");
    assert_eq!(props["default_generation_settings"]["n_ctx"], 128);
    assert_eq!(engine.metric("model_loads_total").await, 4.0);
}

#[tokio::test]
async fn every_path_that_takes_a_body_chooses() {
    let engine = engine_with(&fixture("qwen3-bpe"), &[]).await;
    let messages = json!([{ "role": "user", "content": "moon" }]);
    for (path, body) in [
        (
            "/completion",
            json!({ "prompt": "moon", "n_predict": 1, "ignore_eos": true }),
        ),
        (
            "/v1/completions",
            json!({ "prompt": "moon", "max_tokens": 1 }),
        ),
        (
            "/v1/chat/completions",
            json!({ "messages": messages, "max_tokens": 1 }),
        ),
        ("/apply-template", json!({ "messages": messages })),
        ("/tokenize", json!({ "content": "moon" })),
        ("/detokenize", json!({ "tokens": [40] })),
    ] {
        let mut replies = Vec::new();
        for model in ["haiku", "other"] {
            let mut body = body.clone();
            body["model"] = json!(model);
            let reply = engine.post_json(path, &body).await;
            assert!([&json!(model), &Value::Null].contains(&&reply["model"]));
            let loaded = format!("{model}=loaded");
            assert!(standing(&engine).await.contains(&loaded), "{path} {model}");
            replies.push(reply);
        }
        assert_ne!(replies[0], replies[1], "{path}");
    }
    assert_eq!(engine.metric("model_loads_total").await, 12.0);
}

#[tokio::test]
async fn a_model_that_is_not_served_is_refused_with_those_that_are() {
    let engine = engine_with(&fixture("llama-spm"), &[]).await;
    let refused = engine.post("/completion", &short("nope")).await;
    assert_eq!(refused.status(), 400);
    let refused: Value = refused.json().await.unwrap();
    let expected = json!({ "error": {
        "code": 400,
        "message": "model 'nope' not found; the models are haiku, other",
        "type": "invalid_request_error",
    } });
    assert_eq!(refused, expected);
    let refused = engine.get("/props?model=nope").await;
    assert_eq!(refused.json::<Value>().await.unwrap(), expected);
    let wrong = engine
        .post("/tokenize", &json!({ "content": "a", "model": 7 }))
        .await;
    assert_eq!(wrong.status(), 400);
    assert_eq!(engine.metric("model_loads_total").await, 1.0);
}

#[tokio::test]
async fn another_model_waits_for_the_slot_and_whoever_leaves_changes_nothing() {
    let rate = ["--max-tokens-per-second", "20"];
    let engine = engine_with(&fixture("llama-spm"), &rate).await;
    let mut inside = Events::of(engine.post("/completion", &endless("haiku")).await);
    inside.next().await.unwrap();
    let leaving = tokio::spawn(
        engine
            .request("POST", "/completion")
            .json(&short("other"))
            .send(),
    );
    engine
        .until("it waits", async || {
            engine.metric("requests_deferred").await == 1.0
        })
        .await;
    assert_eq!(standing(&engine).await, "haiku=loaded other=unloaded");
    leaving.abort();
    engine
        .until("it has left", async || {
            engine.metric("requests_deferred").await == 0.0
        })
        .await;
    let waiting = tokio::spawn(
        engine
            .request("POST", "/completion")
            .json(&short("other"))
            .send(),
    );
    engine
        .until("another waits", async || {
            engine.metric("requests_deferred").await == 1.0
        })
        .await;
    // What is generated goes on meanwhile.
    inside.next().await.unwrap();
    drop(inside);
    let reply: Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(reply["model"], "other");
    assert_eq!(standing(&engine).await, "haiku=unloaded other=loaded");
    assert_eq!(engine.metric("model_loads_total").await, 2.0);
}

#[tokio::test]
async fn a_model_that_cannot_be_loaded_is_an_answer_and_the_engine_lives() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.gguf");
    std::fs::copy(fixture("llama-spm"), &file).unwrap();
    let engine = engine_with(&file, &[]).await;
    // It was sound when the engine was started.
    std::fs::write(&file, "not a model").unwrap();
    let failed = engine.post("/completion", &short("other")).await;
    assert_eq!(failed.status(), 500);
    let failed: Value = failed.json().await.unwrap();
    let message = failed["error"]["message"].as_str().unwrap();
    let begins = format!("model {}: ", file.display());
    assert!(message.starts_with(&begins), "{message}");
    assert_eq!(standing(&engine).await, "haiku=unloaded other=unloaded!");
    assert_eq!(engine.get("/health").await.status(), 200);
    let said = engine.complete(&short("haiku")).await;
    assert_eq!(said["model"], "haiku");
    std::fs::copy(fixture("llama-spm"), &file).unwrap();
    let said = engine.complete(&short("other")).await;
    assert_eq!(said["model"], "other");
    assert_eq!(standing(&engine).await, "haiku=unloaded other=loaded");
}

#[tokio::test]
async fn a_file_that_was_written_anew_is_another_model() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.gguf");
    let mut digests = Vec::new();
    std::fs::copy(fixture("llama-spm"), &file).unwrap();
    let engine = engine_with(&file, &[]).await;
    for name in ["llama-spm", "llama-spm", "llama-bpe"] {
        std::fs::copy(fixture(name), &file).unwrap();
        let props = engine.get_json("/props?model=other").await;
        digests.push(props["model_digest"].clone());
        engine.get_json("/props?model=haiku").await;
    }
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[1], digests[2]);
}

#[tokio::test]
async fn a_file_that_is_no_model_keeps_the_engine_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.gguf");
    std::fs::write(&file, "not a model").unwrap();
    let output = command()
        .args(["--model", "embedded:haiku-tiny", "--model"])
        .arg(&file)
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let twice = command()
        .args(["--alias", "a", "--alias", "b"])
        .output()
        .await;
    assert_eq!(twice.unwrap().status.code(), Some(2));
}
