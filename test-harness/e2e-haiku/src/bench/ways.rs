//! The same generation on two ways: from an engine straight, and as a task through the daemon.

use std::io;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::line::Line;
use super::setup::Subject;
use super::stand_in::PROMPT;
use super::wire::{self, Accepted};

/// What one generation told.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// When the request was sent.
    pub(super) began: Instant,
    /// When the task was accepted, if it was one.
    pub(super) accepted: Option<Instant>,
    /// When each token was here.
    pub(super) tokens: Vec<Instant>,
}

impl Course {
    /// From when on the way to the first token is the engine's and the daemon's, and not the commit's.
    pub(super) fn handed_over(&self) -> Instant {
        self.accepted.unwrap_or(self.began)
    }
}

/// The two ways to one engine.
pub(super) struct Ways {
    model: &'static str,
    engine: Line,
    daemon: Line,
}

#[derive(Deserialize)]
struct EngineFrame {
    stop: bool,
}

impl Ways {
    pub(super) fn open(subject: &Subject, model: &'static str, engine: &str) -> io::Result<Self> {
        let daemon = subject.daemon.url().trim_start_matches("http://");
        Ok(Self {
            model,
            engine: Line::open(engine)?,
            daemon: Line::open(daemon)?,
        })
    }

    /// Asks the engine itself, as the daemon does.
    pub(super) fn straight(&mut self, seed: usize, tokens: usize) -> io::Result<Course> {
        let mut body = sampling(seed);
        body["prompt"] = json!(PROMPT);
        body["n_predict"] = json!(tokens);
        body["stream"] = json!(true);
        body["repeat_last_n"] = json!(64);
        body["cache_prompt"] = json!(true);
        let request = wire::post("/completion", &body.to_string());
        let mut here = Vec::with_capacity(tokens);
        let began = Instant::now();
        self.engine.listen(&request, |event, at| {
            let frame: EngineFrame = serde_json::from_str(&event.data)?;
            if !frame.stop {
                here.push(at);
            }
            Ok(())
        })?;
        whole(
            tokens,
            Course {
                began,
                accepted: None,
                tokens: here,
            },
        )
    }

    /// Hands the same generation to the daemon and reads its stream.
    pub(super) fn task(&mut self, seed: usize, tokens: usize) -> io::Result<Course> {
        let mut body = sampling(seed);
        body["input"] = json!({ "kind": "completion", "prompt": PROMPT });
        body["model_ref"] = json!(self.model);
        body["max_tokens"] = json!(tokens);
        let request = wire::post("/v1/tasks", &body.to_string());
        let mut here = Vec::with_capacity(tokens);
        let began = Instant::now();
        let (status, reply) = self.daemon.ask(&request)?;
        let accepted = Instant::now();
        let Accepted { task_id } = wire::accepted(status, &reply)?;
        let stream = wire::get(&format!("/v1/tasks/{task_id}/stream"));
        self.daemon.listen(&stream, |event, at| {
            if event.name == "token" {
                here.push(at);
            }
            Ok(())
        })?;
        whole(
            tokens,
            Course {
                began,
                accepted: Some(accepted),
                tokens: here,
            },
        )
    }
}

/// What both ways are told of the sampling.
fn sampling(seed: usize) -> Value {
    json!({
        "ignore_eos": true,
        "seed": seed,
        "temperature": 0.8,
        "top_k": 40,
        "top_p": 0.95,
        "min_p": 0.05,
        "repeat_penalty": 1.0,
    })
}

fn whole(tokens: usize, course: Course) -> io::Result<Course> {
    match course.tokens.len() {
        all if all == tokens => Ok(course),
        some => Err(io::Error::other(format!(
            "{some} tokens came instead of {tokens}"
        ))),
    }
}
