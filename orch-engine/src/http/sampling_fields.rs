//! The fields of `/completion`: their table, and their way into a generation request.

use std::hash::{BuildHasher, RandomState};

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use serde_json::{Value, json};

use super::error::ApiError;
use super::fields::{Field, Fields};
use crate::generation::Request;
use crate::model::Model;
use crate::sampling::Sampling;
use crate::tokenizer::{Encoding, TokenId};

/// The seed that stands for "any", as llama.cpp has it.
const ANY_SEED: i64 = u32::MAX as i64;
const MAX_STOP_TEXTS: usize = 32;

/// Every field that `/completion` serves.
pub(crate) const FIELDS: [Field; 14] = [
    Field {
        name: "prompt",
        accepts: "string, or array of token ids",
    },
    Field {
        name: "n_predict",
        accepts: "integer, -1 to 2147483647",
    },
    Field {
        name: "temperature",
        accepts: "number, 0 to 100",
    },
    Field {
        name: "top_k",
        accepts: "integer, -1 to 2147483647",
    },
    Field {
        name: "top_p",
        accepts: "number, 0 to 1",
    },
    Field {
        name: "min_p",
        accepts: "number, 0 to 1",
    },
    Field {
        name: "repeat_penalty",
        accepts: "number, 0.01 to 100",
    },
    Field {
        name: "repeat_last_n",
        accepts: "integer, -1 to 2147483647",
    },
    Field {
        name: "seed",
        accepts: "integer, -1 to 4294967295",
    },
    Field {
        name: "ignore_eos",
        accepts: "true or false",
    },
    Field {
        name: "stop",
        accepts: "array of up to 32 non-empty strings",
    },
    Field {
        name: "stream",
        accepts: "true or false",
    },
    Field {
        name: "return_tokens",
        accepts: "true or false",
    },
    Field {
        name: "cache_prompt",
        accepts: "true or false",
    },
];

/// A request to `/completion` that is well-formed. Whether it fits the model is another question.
#[derive(Debug)]
pub(crate) struct Completion {
    prompt: Prompt,
    n_predict: Option<usize>,
    stop: Vec<String>,
    sampling: Sampling,
    repeat_all: bool,
    pub(crate) stream: bool,
    pub(crate) return_tokens: bool,
}

#[derive(Debug)]
enum Prompt {
    Text(String),
    Tokens(Vec<TokenId>),
}

impl Completion {
    pub(crate) fn parse(body: Result<Bytes, BytesRejection>) -> Result<Self, ApiError> {
        Self::read(&Fields::parse(body, &FIELDS)?)
    }

    fn read(fields: &Fields) -> Result<Self, ApiError> {
        let most = i64::from(i32::MAX);
        let repeat_last_n = fields.integer("repeat_last_n", -1..=most, 64)?;
        fields.bool("cache_prompt", true)?;
        Ok(Self {
            prompt: prompt(fields)?,
            n_predict: usize::try_from(fields.integer("n_predict", -1..=most, -1)?).ok(),
            stop: stop_texts(fields)?,
            sampling: Sampling {
                temperature: fields.number("temperature", 0.0..=100.0, 0.8)? as f32,
                top_k: usize::try_from(fields.integer("top_k", -1..=most, 40)?)
                    .ok()
                    .filter(|&k| k > 0),
                top_p: fields.number("top_p", 0.0..=1.0, 0.95)? as f32,
                min_p: fields.number("min_p", 0.0..=1.0, 0.05)? as f32,
                repeat_penalty: fields.number("repeat_penalty", 0.01..=100.0, 1.0)? as f32,
                repeat_last_n: usize::try_from(repeat_last_n).unwrap_or(usize::MAX),
                seed: seed(fields)?,
                ignore_eos: fields.bool("ignore_eos", false)?,
            },
            repeat_all: repeat_last_n < 0,
            stream: fields.bool("stream", false)?,
            return_tokens: fields.bool("return_tokens", false)?,
        })
    }

    /// The settings as the reply gives them: every field with the value that was used.
    pub(crate) fn settings(&self) -> Value {
        let sampling = &self.sampling;
        let n_predict = self.n_predict.map_or(json!(-1), |n| json!(n));
        json!({
            "seed": sampling.seed,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k.unwrap_or(0),
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "repeat_last_n": if self.repeat_all { json!(-1) } else { json!(sampling.repeat_last_n) },
            "repeat_penalty": sampling.repeat_penalty,
            "stop": self.stop,
            "max_tokens": n_predict,
            "n_predict": n_predict,
            "ignore_eos": sampling.ignore_eos,
            "stream": self.stream,
            "samplers": ["penalties", "top_k", "top_p", "min_p", "temperature"],
        })
    }

    /// The settings of a request that has nothing but a prompt. Its seed is "any".
    pub(crate) fn default_settings() -> Result<Value, ApiError> {
        let body = Bytes::from_static(br#"{"prompt":""}"#);
        let mut settings = Self::parse(Ok(body))?.settings();
        settings["seed"] = json!(ANY_SEED);
        Ok(settings)
    }

    /// Turns the prompt into tokens and checks it against the model's vocabulary and context.
    pub(crate) fn prepare(self, model: &Model) -> Result<Request, ApiError> {
        let vocabulary = model.vocabulary();
        let prompt = match self.prompt {
            Prompt::Text(text) => vocabulary.encode(&text, Encoding::PROMPT),
            Prompt::Tokens(tokens) => tokens,
        };
        if prompt.is_empty() {
            return Err(ApiError::invalid("field `prompt` is empty"));
        }
        if let Some(unknown) = prompt.iter().find(|&&t| t as usize >= vocabulary.len()) {
            return Err(ApiError::invalid(format!(
                "field `prompt` has the token {unknown}; the vocabulary ends at {}",
                vocabulary.len() - 1
            )));
        }
        if prompt.len() >= model.n_ctx() {
            return Err(ApiError::too_long(prompt.len(), model.n_ctx()));
        }
        Ok(Request {
            prompt,
            n_predict: self.n_predict,
            stop: self.stop,
            sampling: self.sampling,
        })
    }
}

fn prompt(fields: &Fields) -> Result<Prompt, ApiError> {
    let value = fields.required("prompt")?;
    let tokens = |value: &Value| -> Option<Vec<TokenId>> {
        let ids = value.as_array()?.iter();
        ids.map(|id| id.as_u64().and_then(|id| TokenId::try_from(id).ok()))
            .collect()
    };
    match value {
        Value::String(text) => Ok(Prompt::Text(text.clone())),
        _ => tokens(value)
            .map(Prompt::Tokens)
            .ok_or_else(|| fields.fault("prompt")),
    }
}

fn stop_texts(fields: &Fields) -> Result<Vec<String>, ApiError> {
    let Some(value) = fields.get("stop") else {
        return Ok(Vec::new());
    };
    let texts = |value: &Value| -> Option<Vec<String>> {
        let texts = value.as_array()?.iter();
        texts
            .map(|text| text.as_str().filter(|t| !t.is_empty()).map(str::to_owned))
            .collect()
    };
    texts(value)
        .filter(|texts| texts.len() <= MAX_STOP_TEXTS)
        .ok_or_else(|| fields.fault("stop"))
}

fn seed(fields: &Fields) -> Result<u32, ApiError> {
    let asked = fields.integer("seed", -1..=ANY_SEED, -1)?;
    Ok(match u32::try_from(asked) {
        Ok(seed) if asked != ANY_SEED => seed,
        // The standard library seeds its hash maps from the operating system. The lower half of the
        // range only, so that what is reported can be asked for anywhere as a positive i32.
        _ => RandomState::new().hash_one(()) as u32 >> 1,
    })
}
