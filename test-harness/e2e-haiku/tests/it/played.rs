//! An engine in the dialect of llama.cpp that is played from a script: it proves itself as any engine does,
//! and then does with each generation what a test says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use test_harness_adapter_suite::scripted::{Reply, Request, ScriptedServer, Step};

/// Tokens of every prompt, as the engine counts them.
const PROMPT_TOKENS: u64 = 5;

/// What a generation is asked for.
pub(crate) struct Asked {
    pub(crate) prompt: String,
    /// How often this prompt was asked for before.
    pub(crate) before: usize,
}

/// An engine that is played.
pub(crate) struct Played {
    server: ScriptedServer,
    health: Arc<Wellbeing>,
    asked: Arc<Mutex<HashMap<String, usize>>>,
}

/// How an engine is, and who has found it ill.
#[derive(Default)]
struct Wellbeing {
    ill: AtomicBool,
    /// Health checks while it was ill.
    checks: AtomicUsize,
    /// Tasks that came while it was ill.
    tasks: AtomicUsize,
}

impl Played {
    /// Starts an engine of one slot that does with each generation what `script` says.
    pub(crate) async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let health = Arc::new(Wellbeing::default());
        let asked = Arc::new(Mutex::new(HashMap::new()));
        let (seen, now) = (Arc::clone(&asked), Arc::clone(&health));
        let server = ScriptedServer::start(move |request| {
            if now.ill.load(Ordering::SeqCst) {
                let count = match request.path.as_str() {
                    "/health" => &now.checks,
                    _ => &now.tasks,
                };
                count.fetch_add(1, Ordering::SeqCst);
                return Reply::json(500, "{}");
            }
            // The query names the model, of which there is only one.
            let path = request.path.split('?').next().unwrap_or_default();
            match path {
                "/completion" => generation(request, &seen, &script),
                "/health" => Reply::json(200, r#"{"status":"ok"}"#),
                "/props" => Reply::json(200, &props()),
                _ => Reply::json(404, "{}"),
            }
        });
        Self {
            server: server.await,
            health,
            asked,
        }
    }

    /// The pool `far` of this engine alone, with further fields of its own.
    pub(crate) fn pool(&self, further: &str) -> String {
        let url = self.server.url();
        format!(
            "[[pool]]\nid = \"far\"\nengine = \"llamacpp\"\nmodel_ref = \"tiny\"\nurls = [\"{url}\"]\n{further}\n"
        )
    }

    /// From here on every call is answered as by a server that is up and broken, or as before.
    pub(crate) fn set_ill(&self, ill: bool) {
        self.health.ill.store(ill, Ordering::SeqCst);
    }

    /// Health checks, and anything else, that came while it was ill.
    pub(crate) fn found_ill(&self) -> (usize, usize) {
        let Wellbeing { checks, tasks, .. } = &*self.health;
        (checks.load(Ordering::SeqCst), tasks.load(Ordering::SeqCst))
    }

    /// How often a prompt was asked for.
    pub(crate) fn asked_for(&self, prompt: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.get(prompt).copied().unwrap_or(0)
    }

    /// Lets one [`Step::Gate`] pass.
    pub(crate) fn release(&self) {
        self.server.release();
    }

    /// Waits for one more connection that the daemon closed before the script had ended.
    pub(crate) async fn left_alone(&self) {
        self.server.closed_by_client().await;
    }
}

fn generation(
    request: &Request,
    seen: &Mutex<HashMap<String, usize>>,
    script: &(impl Fn(&Asked) -> Reply + Send + Sync + 'static),
) -> Reply {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let prompt = body["prompt"].as_str().unwrap().to_owned();
    if prompt == "Hello" {
        // The proof that it decodes, which is none of the script's business.
        return all_of(&["a"; 4]);
    }
    let before = {
        let mut seen = seen.lock().unwrap();
        let count = seen.entry(prompt.clone()).or_default();
        *count += 1;
        *count - 1
    };
    script(&Asked { prompt, before })
}

fn props() -> String {
    json!({
        "default_generation_settings": { "n_ctx": 1_000_000 },
        "total_slots": 1,
        "build_info": "played",
        "model_digest": format!("sha256:{}", "0".repeat(64)),
    })
    .to_string()
}

/// A task for the engine: exactly this prompt, so many tokens at most.
pub(crate) fn task(prompt: &str, max_tokens: u32) -> Value {
    json!({
        "input": { "kind": "completion", "prompt": prompt },
        "max_tokens": max_tokens,
        "ignore_eos": true,
        "seed": 1,
    })
}

/// One frame of a stream, in a chunk of its own.
fn frame(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// The frame of the token at this index.
pub(crate) fn token(index: usize, text: &str) -> Vec<u8> {
    frame(&json!({
        "content": text,
        "stop": false,
        "tokens_predicted": index + 1,
        "tokens_evaluated": PROMPT_TOKENS,
    }))
}

/// The frame of the end after so many tokens.
pub(crate) fn end(tokens: usize) -> Vec<u8> {
    frame(&json!({
        "content": "",
        "stop": true,
        "stop_type": "limit",
        "tokens_predicted": tokens,
        "tokens_evaluated": PROMPT_TOKENS,
    }))
}

/// A chunk of a stream as it travels, to be sent for ever.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The head of a stream.
pub(crate) fn stream() -> Reply {
    Reply::chunked("text/event-stream")
}

/// The head of a stream and these tokens, without an end.
pub(crate) fn begin(tokens: &[&str]) -> Reply {
    let numbered = tokens.iter().enumerate();
    numbered.fold(stream(), |reply, (index, text)| {
        reply.chunk(&token(index, text))
    })
}

/// A whole generation of these tokens.
pub(crate) fn all_of(tokens: &[&str]) -> Reply {
    begin(tokens).chunk(&end(tokens.len())).end()
}

/// The same, and then nothing more while the daemon listens.
pub(crate) fn and_hangs(reply: Reply) -> Reply {
    reply.then(Step::Stay)
}

/// The same, and then the connection is gone.
pub(crate) fn and_resets(reply: Reply) -> Reply {
    reply.then(Step::Reset)
}
