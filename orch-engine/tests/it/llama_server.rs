//! A real llama-server, side by side: what was recorded of one is what this one says, and the model that
//! is compiled in means the same to both.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use test_harness_support::real_parts;
use tokio::process::{Child, Command};

use crate::engine::Engine;

const MODELS: [&str; 4] = ["llama-bpe", "llama-spm", "qwen2-bpe", "qwen3-bpe"];

/// The flags with which the recordings were made: attention in 32 bits, as the engine has it.
const FLAGS: [&str; 14] = [
    "--threads",
    "1",
    "--ctx-size",
    "512",
    "--parallel",
    "1",
    "--no-webui",
    "--no-warmup",
    "--flash-attn",
    "off",
    "--cache-type-k",
    "f32",
    "--cache-type-v",
    "f32",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn haiku_tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/haiku-tiny/haiku-tiny-q8_0.gguf")
}

fn texts() -> Vec<String> {
    let texts = std::fs::read_to_string(fixture("texts.json")).unwrap();
    serde_json::from_str(&texts).unwrap()
}

/// A running llama-server. It is killed when this is dropped.
struct LlamaServer {
    _child: Child,
    url: String,
    client: reqwest::Client,
}

impl LlamaServer {
    async fn start(program: &Path, model: &Path) -> Self {
        // It cannot be told to take a free port and say which, so one is looked for here.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new(program)
            .arg("--model")
            .arg(model)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(FLAGS)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let server = Self {
            _child: child,
            url: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::new(),
        };
        let ready = async {
            loop {
                let health = server
                    .client
                    .get(format!("{}/health", server.url))
                    .send()
                    .await;
                if health.is_ok_and(|reply| reply.status() == 200) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), ready)
            .await
            .expect("llama-server is not ready");
        server
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url));
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        reply.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 200, "{path} {body}");
        reply.json().await.unwrap()
    }
}

/// Adds every member of ours that theirs lacks, or that is of another kind there. A list is held to its first value;
/// a null of ours may be anything.
fn compare(at: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, ours) in ours {
                let at = format!("{at}.{name}");
                match theirs.get(name) {
                    Some(theirs) => compare(&at, ours, theirs, found),
                    None => found.push(format!("{at} is ours alone")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            if let (Some(ours), Some(theirs)) = (ours.first(), theirs.first()) {
                compare(&format!("{at}[]"), ours, theirs, found);
            }
        }
        (Value::Null, _)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => found.push(format!("{at} is {ours} here and {theirs} there")),
    }
}

fn tokenize(text: &str) -> Value {
    json!({ "content": text, "add_special": true, "with_pieces": true })
}

/// `true` if the two say the same, to within so much.
fn is_close(a: &Value, b: &Value, tolerance: f64) -> bool {
    (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < tolerance
}

#[tokio::test]
async fn with_a_llama_server_the_recordings_are_what_it_says() {
    let Some(program) = real_parts::llama_server() else {
        return;
    };
    for name in MODELS {
        let server = LlamaServer::start(&program, &fixture(&format!("{name}.gguf"))).await;
        let recorded = std::fs::read_to_string(fixture(&format!("{name}.tokens"))).unwrap();
        for (text, line) in texts().iter().zip(recorded.lines()) {
            let said = server.post("/tokenize", &json!({ "content": text })).await;
            let said: Vec<String> = said["tokens"]
                .as_array()
                .unwrap()
                .iter()
                .map(Value::to_string)
                .collect();
            let line = line.split_once(" |").map_or(line, |(parsed, _)| parsed);
            assert_eq!(said.join(" "), line, "{name}: {text:?}");
        }
        let recorded = std::fs::read_to_string(fixture(&format!("{name}.likelihoods.json")));
        let recorded: Value = serde_json::from_str(&recorded.unwrap()).unwrap();
        for recorded in recorded.as_array().unwrap() {
            let tops = recorded["tops"].as_array().unwrap();
            let body = json!({
                "prompt": recorded["prompt"], "n_predict": tops.len(), "temperature": 0,
                "logit_bias": [[recorded["then"], 1000]], "n_probs": 20, "cache_prompt": false,
            });
            let said = server.post("/completion", &body).await;
            for (step, top) in tops.iter().enumerate() {
                let said = &said["completion_probabilities"][step]["top_logprobs"];
                // Another processor may add in another order, no more.
                assert!(
                    is_close(&said[0]["logprob"], &top[0][1], 0.02),
                    "{name}, step {step}: {said} was {top}"
                );
            }
        }
    }
}

#[tokio::test]
async fn with_a_llama_server_the_small_model_means_the_same_to_both() {
    let Some(program) = real_parts::llama_server() else {
        return;
    };
    let server = LlamaServer::start(&program, &haiku_tiny()).await;
    let engine = Engine::start(&[]).await;
    for (i, text) in texts().iter().enumerate() {
        let theirs = server.post("/tokenize", &tokenize(text)).await;
        let ours = engine.post_json("/tokenize", &tokenize(text)).await;
        assert_eq!(ours, theirs, "{text:?}");
        if i % 10 != 0 {
            continue;
        }
        let ids: Vec<Value> = ours["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token["id"].clone())
            .collect();
        let body = json!({ "tokens": ids });
        let theirs = server.post("/detokenize", &body).await;
        assert_eq!(engine.post_json("/detokenize", &body).await, theirs);
    }
    for (minutes, nonce) in [("forty-two", "Ab3dE9xZ"), ("seven", "zz")] {
        let chat = crate::haiku::prompt(minutes, nonce);
        let body = json!({ "messages": [{ "role": "user", "content": chat }] });
        let theirs = server.post("/apply-template", &body).await;
        let ours = engine.post_json("/apply-template", &body).await;
        assert_eq!(ours, theirs);
        let body = json!({
            "prompt": ours["prompt"], "n_predict": 30, "temperature": 0, "n_probs": 5,
            "cache_prompt": false,
        });
        let theirs = server.post("/completion", &body).await;
        let ours = engine.complete(&body).await;
        assert_eq!(ours["content"], theirs["content"]);
        assert_eq!(ours["prompt"], theirs["prompt"]);
        let entries = ours["completion_probabilities"].as_array().unwrap();
        let theirs = theirs["completion_probabilities"].as_array().unwrap();
        assert_eq!(entries.len(), theirs.len());
        for (ours, theirs) in entries.iter().zip(theirs) {
            for member in ["id", "token", "bytes"] {
                assert_eq!(ours[member], theirs[member], "{ours} and {theirs}");
            }
            assert!(is_close(&ours["logprob"], &theirs["logprob"], 0.02));
            let top = |entry: &Value| entry["top_logprobs"][0]["id"].clone();
            assert_eq!(top(ours), top(theirs));
        }
    }
}

/// What a client that was written for the one finds at the other.
#[tokio::test]
async fn with_a_llama_server_every_member_that_is_told_is_told_there_too() {
    let Some(program) = real_parts::llama_server() else {
        return;
    };
    let server = LlamaServer::start(&program, &haiku_tiny()).await;
    let engine = Engine::start(&[]).await;
    let mut found = Vec::new();
    for path in [
        "/health",
        "/v1/health",
        "/props",
        "/slots",
        "/v1/models",
        "/models",
    ] {
        let theirs = server.get(path).await;
        compare(path, &engine.get_json(path).await, &theirs, &mut found);
    }
    let messages = json!([{ "role": "user", "content": "Write a haiku" }]);
    let settings = json!({ "temperature": 0, "max_tokens": 3 });
    for (path, own) in [
        ("/completion", json!({ "prompt": "rain", "n_probs": 2 })),
        ("/v1/completions", json!({ "prompt": "rain" })),
        (
            "/v1/chat/completions",
            json!({ "messages": messages, "logprobs": true, "top_logprobs": 2 }),
        ),
        ("/apply-template", json!({ "messages": messages })),
        ("/tokenize", json!({ "content": "rain" })),
        ("/detokenize", json!({ "tokens": [5] })),
    ] {
        let mut body = own;
        if path.ends_with("completions") || path.ends_with("completion") {
            let settings = settings.as_object().unwrap().clone();
            body.as_object_mut().unwrap().extend(settings);
        }
        if path == "/completion" {
            let limit = body.as_object_mut().unwrap().remove("max_tokens");
            body["n_predict"] = limit.unwrap();
        }
        let theirs = server.post(path, &body).await;
        compare(
            path,
            &engine.post_json(path, &body).await,
            &theirs,
            &mut found,
        );
    }
    found.sort();
    insta::assert_snapshot!(found.join("\n"), @r"
    /props.cpu is ours alone
    /props.default_generation_settings.params.stop is ours alone
    /props.engine_version is ours alone
    /props.keeps_connections is ours alone
    /props.model_digest is ours alone
    ");
}
