//! The llama.cpp dialect, as the suite needs it.

use std::sync::Arc;
use std::time::Duration;

use llamacpp_http::{LlamacppAdapter, Timeouts};
use serde_json::{Value, json};
use test_harness_adapter_suite::scripted::{Reply, Request};
use test_harness_adapter_suite::{Dialect, Exchange, Kind, Limits, Recording, Refusal};
use worker_adapter::{Adapter, EngineFacts, Generation, Health, Prompt};

use crate::recordings;

const CHAT: &[u8] = include_bytes!("../recordings/chat-openai.sse");
const ERRORS: &str = include_str!("../recordings/errors.tsv");
const HEALTH: &str = include_str!("../recordings/health.json");
const METRICS: &[u8] = include_bytes!("../recordings/metrics.txt");
const MODELS: &str = include_str!("../recordings/models.json");
const PROPS: &str = include_str!("../recordings/props.json");
const SLOTS: &str = include_str!("../recordings/slots.json");

const STREAM: &str = "text/event-stream";

/// What the template of the scripted engine makes of a message.
fn templated(message: &str) -> String {
    format!("<s>{message}\n")
}

/// The dialect, with recordings that are kept or were captured just now.
#[derive(Default)]
pub(crate) struct Llamacpp {
    pub(crate) recordings: Vec<Recording>,
    /// The model that is named, if one is.
    pub(crate) model: Option<&'static str>,
}

impl Llamacpp {
    /// The body that is expected: with the model's name, if one is named.
    fn naming(&self, mut body: Value) -> Value {
        if let Some(model) = self.model {
            body["model"] = json!(model);
        }
        body
    }
}

impl Dialect for Llamacpp {
    fn adapter(&self, base_url: &str, limits: Limits) -> Arc<dyn Adapter> {
        let timeouts = Timeouts {
            connect: limits.reply,
            reply: limits.reply,
            load: Duration::ZERO,
            first_token: limits.first_token,
            idle: limits.idle,
            total: limits.total,
        };
        let adapter = LlamacppAdapter::new(base_url, timeouts).unwrap();
        Arc::new(match self.model {
            Some(model) => adapter.of_model(model),
            None => adapter,
        })
    }

    fn preliminary(&self, request: &Request) -> Option<Reply> {
        if request.path != "/apply-template" {
            return None;
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let message = &body["messages"][0];
        assert_eq!(
            body,
            self.naming(json!({"messages": [{"role": "user", "content": message["content"]}]}))
        );
        let prompt = templated(message["content"].as_str().unwrap());
        Some(Reply::json(200, &json!({ "prompt": prompt }).to_string()))
    }

    fn assert_says(&self, request: &Request, generation: &Generation) {
        let prompt = match &generation.prompt {
            Prompt::Raw(text) => text.clone(),
            Prompt::Chat(message) => templated(message),
        };
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let sampling = generation.sampling;
        assert_eq!(
            (request.method.as_str(), request.path.as_str(), body),
            (
                "POST",
                "/completion",
                self.naming(json!({
                    "prompt": prompt,
                    "stream": true,
                    "n_predict": generation.max_tokens,
                    "ignore_eos": generation.ignore_eos,
                    "seed": generation.seed,
                    "cache_prompt": generation.cache_reuse,
                    "temperature": sampling.temperature,
                    "top_k": sampling.top_k,
                    "top_p": sampling.top_p,
                    "min_p": sampling.min_p,
                    "repeat_penalty": sampling.repeat_penalty,
                    "repeat_last_n": 64,
                }))
            )
        );
    }

    fn recordings(&self) -> Vec<Recording> {
        self.recordings.clone()
    }

    fn read(&self, name: &'static str, head: Vec<u8>, body: &[u8]) -> Recording {
        recordings::read(name, head, body)
    }

    fn refusals(&self) -> Vec<Refusal> {
        let recorded = ERRORS.lines().map(|line| {
            let fields: Vec<&'static str> = line.split('\t').collect();
            let [name, status, body] = fields[..] else {
                panic!("not a name, a status and a body: {line}");
            };
            refusal(
                name,
                Reply::json(status.parse().unwrap(), body),
                meaning(name),
            )
        });
        let exceeded = ERRORS
            .lines()
            .find_map(|line| line.strip_prefix("the context\t400\t"));
        let broke = r#"{"error":{"code":500,"message":"broke","type":"server_error"}}"#;
        let others = [
            refusal("no room", Reply::json(429, ""), Kind::Busy),
            refusal("another way", Reply::json(302, "{}"), Kind::Protocol),
            refusal(
                "a page",
                Reply::whole(200, "text/html", b"<html>"),
                Kind::Protocol,
            ),
            refusal(
                "no stream",
                Reply::json(200, r#"{"content":"a","stop":true}"#),
                Kind::Protocol,
            ),
            refusal(
                "the context, as a frame",
                frame(exceeded.unwrap()),
                meaning("the context"),
            ),
            refusal("it broke, as a frame", frame(broke), Kind::Reset),
        ];
        recorded.chain(others).collect()
    }

    fn garbage(&self) -> Vec<Vec<u8>> {
        [
            "not an event stream\n\n",
            "data: not json\n\n",
            "data: [DONE]\n\n",
            "data: {}\n\n",
            "data: []\n\n",
            "data: null\n\n",
        ]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .chain([b"data: {\"content\":\"\xff\xfe\"}\n\n".to_vec()])
        // What the same server says elsewhere: the OpenAI dialect with its `[DONE]`, and no stream at all.
        .chain([CHAT.to_vec(), METRICS.to_vec()])
        .collect()
    }

    fn endless_piece(&self) -> Vec<u8> {
        b"data: ".repeat(1000)
    }

    fn healths(&self) -> Vec<Exchange<Health>> {
        vec![
            Exchange {
                name: "ready",
                answer: |request| on("/health", request, Reply::json(200, HEALTH)),
                means: Ok(Health::Ready),
            },
            Exchange {
                name: "loading",
                answer: |request| on("/health", request, error(503, "unavailable_error")),
                means: Ok(Health::Loading),
            },
            Exchange {
                name: "broken",
                answer: |request| on("/health", request, error(500, "server_error")),
                means: Err(Kind::Reset),
            },
            Exchange {
                name: "something else listens",
                answer: |_| Reply::whole(404, "text/html", b"<html>"),
                means: Err(Kind::Refused),
            },
        ]
    }

    fn facts(&self) -> Vec<Exchange<EngineFacts>> {
        vec![
            Exchange {
                name: "llama-server",
                answer: |request| on("/props", request, Reply::json(200, PROPS)),
                means: Ok(EngineFacts {
                    engine_version: "b1-0c1e570".to_owned(),
                    model_digest: None,
                    model_path: Some("t_f16.gguf".to_owned()),
                    ctx: 512,
                    slots: 1,
                }),
            },
            Exchange {
                name: "an engine that knows its model's digest",
                answer: |request| on("/props", request, own_props(&digest())),
                means: Ok(EngineFacts {
                    engine_version: "9.9.9+candle".to_owned(),
                    model_digest: Some(digest()),
                    model_path: None,
                    ctx: 64,
                    slots: 2,
                }),
            },
            Exchange {
                name: "a digest that is none",
                answer: |request| on("/props", request, own_props("sha256:beef")),
                means: Err(Kind::Protocol),
            },
            Exchange {
                name: "nothing of it",
                answer: |_| Reply::json(200, "{}"),
                means: Err(Kind::Protocol),
            },
            Exchange {
                name: "its models",
                answer: |_| Reply::json(200, MODELS),
                means: Err(Kind::Protocol),
            },
            Exchange {
                name: "its slots",
                answer: |_| Reply::json(200, SLOTS),
                means: Err(Kind::Protocol),
            },
            Exchange {
                name: "a page",
                answer: |_| Reply::whole(200, "text/html", b"<html>"),
                means: Err(Kind::Protocol),
            },
            Exchange {
                name: "loading",
                answer: |_| error(503, "unavailable_error"),
                means: Err(Kind::Busy),
            },
        ]
    }
}

/// What each recorded error means.
fn meaning(name: &str) -> Kind {
    match name {
        "loading" | "no slot" => Kind::Busy,
        "no JSON" => Kind::Reset,
        "no prompt" | "a bad value" | "no such path" | "switched off" => Kind::Refused,
        "the context" => Kind::ContextExceeded {
            tokens: 2005,
            ctx: 512,
        },
        other => panic!("nobody has said what `{other}` means"),
    }
}

fn refusal(name: &'static str, reply: Reply, means: Kind) -> Refusal {
    Refusal { name, reply, means }
}

fn frame(data: &str) -> Reply {
    Reply::chunked(STREAM)
        .chunk(format!("data: {data}\n\n").as_bytes())
        .end()
}

fn error(code: u16, kind: &str) -> Reply {
    let body = json!({"error": {"code": code, "message": "as it is", "type": kind}});
    Reply::json(code, &body.to_string())
}

/// The reply on this path, and the engine's own 404 elsewhere.
fn on(path: &str, request: &Request, reply: Reply) -> Reply {
    let asked = request.path.split('?').next();
    if request.method == "GET" && asked == Some(path) {
        reply
    } else {
        error(404, "not_found_error")
    }
}

fn digest() -> String {
    format!("sha256:{}", "0123456789abcdef".repeat(4))
}

fn own_props(digest: &str) -> Reply {
    let body = json!({
        "default_generation_settings": {"n_ctx": 64},
        "total_slots": 2,
        "build_info": "b1",
        "engine_version": "9.9.9+candle",
        "model_digest": digest,
        "model_path": "",
    });
    Reply::json(200, &body.to_string())
}
