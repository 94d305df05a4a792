//! `POST /v1/completions`.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::reply::{Envelope, check_fixed, finish_reason, include_usage, timings, usage};
use crate::generation::{Likelihood, Step};
use crate::http::App;
use crate::http::reply::{ApiError, Asked, Frames, probabilities, sse, stream_reply, whole};
use crate::http::request::{
    Field, Fields, MODEL, Prompt, SAMPLING, Wanted, begin, model_name, prompt,
};
use crate::slot::Outcome;
use crate::tokenizer::Vocabulary;

/// Every field that `/v1/completions` serves besides those about sampling.
pub(crate) const FIELDS: [Field; 10] = [
    Field {
        name: "prompt",
        accepts: "string, array of one string, or array of token ids",
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
        accepts: "integer, 0 to 20",
    },
    Field {
        name: "n",
        accepts: "1",
    },
    Field {
        name: "best_of",
        accepts: "1",
    },
    Field {
        name: "echo",
        accepts: "false",
    },
    Field {
        name: "user",
        accepts: "string",
    },
];

pub(crate) async fn completions(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(body, &[&MODEL, &FIELDS, &SAMPLING])?;
    let fixed = [
        ("n", json!(1)),
        ("best_of", json!(1)),
        ("echo", json!(false)),
    ];
    check_fixed(&fields, &fixed)?;
    let mut wanted = Wanted::read(&fields, one_prompt(&fields)?, "max_tokens")?;
    if fields.get("logprobs").is_some() {
        wanted.n_probs = usize::try_from(fields.integer("logprobs", 0..=20, 0)?).ok();
    }
    let with_usage = include_usage(&fields)?;
    let streamed = wanted.stream;
    let (asked, ticket) = begin(&app, model_name(&fields)?, wanted).await?;
    let envelope = Envelope::new(&app, &asked, ("cmpl", "text_completion"));
    if streamed {
        let chunks = Chunks {
            envelope,
            asked,
            with_usage,
            text_offset: 0,
        };
        return stream_reply(chunks, ticket).await;
    }
    let whole = whole(ticket).await?;
    let vocabulary = &asked.vocabulary;
    let mut reply = envelope.around(json!([{
        "index": 0,
        "text": whole.text,
        "logprobs": logprobs(vocabulary, &whole.likelihoods, 0),
        "finish_reason": finish_reason(&whole.outcome),
    }]));
    reply["usage"] = usage(&asked, &whole.outcome);
    reply["timings"] = timings(&asked, &whole.outcome);
    Ok(Json(reply).into_response())
}

/// A text, in a list of its own or not, or tokens.
fn one_prompt(fields: &Fields) -> Result<Prompt, ApiError> {
    match fields.required("prompt")?.as_array().map(Vec::as_slice) {
        Some([Value::String(text)]) => Ok(Prompt::Text(text.clone())),
        _ => prompt(fields),
    }
}

struct Chunks {
    envelope: Envelope,
    asked: Asked,
    with_usage: bool,
    /// Characters that were sent.
    text_offset: usize,
}

impl Chunks {
    fn choice(&self, text: &str, logprobs: Value, finish_reason: Option<&str>) -> Value {
        self.envelope.around(json!([{
            "index": 0,
            "text": text,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }]))
    }
}

impl Frames for Chunks {
    fn token(&mut self, step: Step, _: usize) -> io::Result<String> {
        if step.text.is_empty() && step.likelihoods.is_empty() {
            return Ok(String::new());
        }
        let vocabulary = &self.asked.vocabulary;
        let logprobs = logprobs(vocabulary, &step.likelihoods, self.text_offset);
        self.text_offset += step.text.chars().count();
        sse(&self.choice(&step.text, logprobs, None))
    }

    fn end(&mut self, outcome: Outcome) -> io::Result<String> {
        let mut last = self.choice("", Value::Null, Some(finish_reason(&outcome)));
        last["timings"] = timings(&self.asked, &outcome);
        let mut text = sse(&last)?;
        if self.with_usage {
            let mut told = self.envelope.around(json!([]));
            told["usage"] = usage(&self.asked, &outcome);
            text.push_str(&sse(&told)?);
        }
        Ok(text + "data: [DONE]\n\n")
    }
}

/// The likelihoods, in llama.cpp's shape (`content`) and in that of the path's inventor; `null` if
/// they were not asked for. `offset` is where the first token's text begins, in characters.
fn logprobs(vocabulary: &Vocabulary, likelihoods: &[Likelihood], offset: usize) -> Value {
    if likelihoods.is_empty() {
        return Value::Null;
    }
    let text = |token| String::from_utf8_lossy(&vocabulary.piece(token, false)).into_owned();
    let mut at = offset;
    let (mut tokens, mut offsets, mut tops) = (Vec::new(), Vec::new(), Vec::new());
    for likelihood in likelihoods {
        let token = text(likelihood.token);
        offsets.push(at);
        at += token.chars().count();
        tokens.push(token);
        let top = likelihood.top.iter();
        tops.push(
            top.map(|&(token, logprob)| (text(token), json!(logprob)))
                .collect::<Map<_, _>>(),
        );
    }
    let own: Vec<f32> = likelihoods.iter().map(|l| l.logprob).collect();
    json!({
        "content": probabilities(vocabulary, likelihoods),
        "tokens": tokens,
        "token_logprobs": own,
        "top_logprobs": tops,
        "text_offset": offsets,
    })
}
