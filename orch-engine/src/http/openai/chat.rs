//! `POST /v1/chat/completions`.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::reply::{Envelope, check_fixed, finish_reason, include_usage, timings, usage};
use crate::generation::{Likelihood, Step};
use crate::http::App;
use crate::http::reply::{ApiError, Asked, Frames, probabilities, sse, stream_reply, whole};
use crate::http::request::{
    Conversation, Field, Fields, MESSAGES, MODEL, Prompt, SAMPLING, Wanted, begin, model_name,
};
use crate::slot::Outcome;

/// Every field that `/v1/chat/completions` serves besides those of a conversation and about sampling.
pub(crate) const FIELDS: [Field; 10] = [
    Field {
        name: "max_completion_tokens",
        accepts: "integer, -1 to 2147483647",
    },
    Field {
        name: "max_tokens",
        accepts: "integer, -1 to 2147483647",
    },
    Field {
        name: "stop",
        accepts: "string, or array of up to 32, none of them empty",
    },
    Field {
        name: "stream",
        accepts: "true or false",
    },
    Field {
        name: "stream_options",
        accepts: "{\"include_usage\": true or false}",
    },
    Field {
        name: "logprobs",
        accepts: "true or false",
    },
    Field {
        name: "top_logprobs",
        accepts: "integer, 0 to 20",
    },
    Field {
        name: "response_format",
        accepts: "{\"type\": \"text\"}",
    },
    Field {
        name: "n",
        accepts: "1",
    },
    Field {
        name: "user",
        accepts: "string",
    },
];

pub(crate) async fn chat_completions(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(body, &[&MODEL, &MESSAGES, &FIELDS, &SAMPLING])?;
    let fixed = [
        ("n", json!(1)),
        ("response_format", json!({ "type": "text" })),
    ];
    check_fixed(&fields, &fixed)?;
    let conversation = Prompt::Chat(Conversation::read(&fields)?);
    let mut wanted = Wanted::read(&fields, conversation, limit(&fields))?;
    wanted.n_probs = n_probs(&fields)?;
    let with_usage = include_usage(&fields)?;
    let streamed = wanted.stream;
    let object = match streamed {
        true => "chat.completion.chunk",
        false => "chat.completion",
    };
    let (asked, ticket) = begin(&app, model_name(&fields)?, wanted).await?;
    let envelope = Envelope::new(&app, &asked, ("chatcmpl", object));
    if streamed {
        let chunks = Chunks {
            envelope,
            asked,
            with_usage,
            has_begun: false,
        };
        return stream_reply(chunks, ticket).await;
    }
    let whole = whole(ticket).await?;
    let mut reply = envelope.around(json!([{
        "index": 0,
        "message": { "role": "assistant", "content": whole.text },
        "logprobs": logprobs(&asked, &whole.likelihoods),
        "finish_reason": finish_reason(&whole.outcome),
    }]));
    reply["usage"] = usage(&asked, &whole.outcome);
    reply["timings"] = timings(&asked, &whole.outcome);
    Ok(Json(reply).into_response())
}

/// The field that bounds the reply: the newer of the two names where both are there.
fn limit(fields: &Fields) -> &'static str {
    match fields.get("max_completion_tokens") {
        Some(_) => "max_completion_tokens",
        None => "max_tokens",
    }
}

fn n_probs(fields: &Fields) -> Result<Option<usize>, ApiError> {
    let top = fields.integer("top_logprobs", 0..=20, 0)?;
    let wanted = fields.bool("logprobs", false)?;
    if fields.get("top_logprobs").is_some() && !wanted {
        return Err(ApiError::invalid(
            "field `top_logprobs` takes `logprobs` to be true",
        ));
    }
    Ok(usize::try_from(top).ok().filter(|_| wanted))
}

fn logprobs(asked: &Asked, likelihoods: &[Likelihood]) -> Value {
    match likelihoods {
        [] => Value::Null,
        _ => json!({ "content": probabilities(&asked.vocabulary, likelihoods) }),
    }
}

struct Chunks {
    envelope: Envelope,
    asked: Asked,
    with_usage: bool,
    /// The first chunk, which names the role, was sent.
    has_begun: bool,
}

impl Chunks {
    fn delta(&self, delta: Value, logprobs: Value, finish_reason: Option<&str>) -> Value {
        self.envelope.around(json!([{
            "index": 0,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }]))
    }

    fn begin(&mut self) -> io::Result<String> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(String::new());
        }
        let role = json!({ "role": "assistant", "content": null });
        sse(&self.delta(role, Value::Null, None))
    }
}

impl Frames for Chunks {
    fn token(&mut self, step: Step, _: usize) -> io::Result<String> {
        let mut text = self.begin()?;
        if !step.text.is_empty() || !step.likelihoods.is_empty() {
            let logprobs = logprobs(&self.asked, &step.likelihoods);
            let delta = json!({ "content": step.text });
            text.push_str(&sse(&self.delta(delta, logprobs, None))?);
        }
        Ok(text)
    }

    fn end(&mut self, outcome: Outcome) -> io::Result<String> {
        let mut text = self.begin()?;
        let mut last = self.delta(json!({}), Value::Null, Some(finish_reason(&outcome)));
        let mut told = self.envelope.around(json!([]));
        told["usage"] = usage(&self.asked, &outcome);
        let carrier = if self.with_usage {
            &mut told
        } else {
            &mut last
        };
        carrier["timings"] = timings(&self.asked, &outcome);
        text.push_str(&sse(&last)?);
        if self.with_usage {
            text.push_str(&sse(&told)?);
        }
        Ok(text + "data: [DONE]\n\n")
    }
}
