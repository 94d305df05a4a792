//! A generation as any path asks for it, and how it begins.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::{messages::Conversation, sampling};
use crate::generation::Request;
use crate::http::App;
use crate::http::reply::{ApiError, Asked};
use crate::model::Model;
use crate::sampling::Sampling;
use crate::slot::Ticket;
use crate::tokenizer::{Encoding, TokenId};

const MAX_STOP_TEXTS: usize = 32;

/// What a reply goes on from.
#[derive(Debug)]
pub(crate) enum Prompt {
    Text(String),
    Tokens(Vec<TokenId>),
    Chat(Conversation),
}

/// A generation that is well-formed. Whether it fits the model is another question.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) prompt: Prompt,
    pub(crate) n_predict: Option<usize>,
    pub(crate) stop: Vec<String>,
    pub(crate) sampling: Sampling,
    pub(crate) n_probs: Option<usize>,
    pub(crate) stream: bool,
}

impl Wanted {
    /// A generation with the fields that all paths have; `n_predict` is the field that bounds it.
    pub(crate) fn read(fields: &Fields, prompt: Prompt, n_predict: &str) -> Result<Self, ApiError> {
        let n_predict = fields.integer(n_predict, -1..=i64::from(i32::MAX), -1)?;
        Ok(Self {
            prompt,
            n_predict: usize::try_from(n_predict).ok(),
            stop: stop_texts(fields)?,
            sampling: sampling::sampling(fields)?,
            n_probs: None,
            stream: fields.bool("stream", false)?,
        })
    }

    /// The settings as a reply gives them: every field with the value that was used.
    pub(crate) fn settings(&self) -> Map<String, Value> {
        let n_predict = self.n_predict.map_or(json!(-1), |n| json!(n));
        let mut told = sampling::told(&self.sampling);
        told.insert("stop".to_owned(), json!(self.stop));
        told.insert("max_tokens".to_owned(), n_predict.clone());
        told.insert("n_predict".to_owned(), n_predict);
        told.insert("n_probs".to_owned(), json!(self.n_probs.unwrap_or(0)));
        told.insert("stream".to_owned(), json!(self.stream));
        told
    }

    /// The settings of a request that has nothing but a prompt. Its seed is "any".
    pub(crate) fn default_settings() -> Result<Map<String, Value>, ApiError> {
        let nothing = Self::read(&Fields::none(), Prompt::Tokens(Vec::new()), "n_predict")?;
        let mut settings = nothing.settings();
        settings.insert("seed".to_owned(), sampling::any_seed());
        Ok(settings)
    }

    /// Turns the prompt into tokens and checks it against the model's vocabulary and context.
    fn prepare(self, model: &Model) -> Result<Request, ApiError> {
        let vocabulary = model.vocabulary();
        let encode = |text: &str| vocabulary.encode(text, Encoding::PROMPT);
        let prompt = match self.prompt {
            Prompt::Text(text) => encode(&text),
            Prompt::Tokens(tokens) => tokens,
            Prompt::Chat(conversation) => encode(&conversation.prompt(model)?),
        };
        if prompt.is_empty() {
            return Err(ApiError::invalid("the prompt is empty"));
        }
        vocabulary
            .check(&prompt)
            .map_err(|unknown| ApiError::unknown_token("prompt", unknown, vocabulary.len()))?;
        if prompt.len() >= model.n_ctx() {
            return Err(ApiError::too_long(prompt.len(), model.n_ctx()));
        }
        Ok(Request {
            prompt,
            n_predict: self.n_predict,
            stop: self.stop,
            sampling: self.sampling,
            n_probs: self.n_probs,
        })
    }
}

/// Puts a generation in line: for the model of this name, and then for the slot.
pub(crate) async fn begin(
    app: &App,
    name: Option<&str>,
    wanted: Wanted,
) -> Result<(Asked, Ticket), ApiError> {
    let held = app.model(name).await?;
    let settings = Value::Object(wanted.settings());
    // A megabyte of text is a second's work for the tokenizer, and this thread serves everyone.
    let prepared = tokio::task::spawn_blocking(move || {
        let request = wanted.prepare(&held);
        request.map(|request| (request, held))
    });
    let (request, held) = prepared
        .await
        .map_err(|error| ApiError::server(error.to_string()))??;
    let asked = Asked {
        alias: app.alias(held.index()).to_owned(),
        settings,
        prompt: request.prompt.clone(),
        vocabulary: Arc::clone(held.vocabulary()),
    };
    let ticket = app.slot.submit(request, held).map_err(ApiError::refused)?;
    Ok((asked, ticket))
}

/// A prompt that is a text or tokens.
pub(crate) fn prompt(fields: &Fields) -> Result<Prompt, ApiError> {
    let value = fields.required("prompt")?;
    match value {
        Value::String(text) => Ok(Prompt::Text(text.clone())),
        _ => token_ids(value)
            .map(Prompt::Tokens)
            .ok_or_else(|| fields.fault("prompt")),
    }
}

/// An array of numbers that tokens may have.
pub(crate) fn token_ids(value: &Value) -> Option<Vec<TokenId>> {
    let ids = value.as_array()?.iter();
    ids.map(|id| id.as_u64().and_then(|id| TokenId::try_from(id).ok()))
        .collect()
}

/// The texts that end a generation.
fn stop_texts(fields: &Fields) -> Result<Vec<String>, ApiError> {
    let texts = |value: &Value| -> Option<Vec<String>> {
        let texts = match value {
            Value::String(_) => std::slice::from_ref(value),
            _ => value.as_array()?,
        };
        texts
            .iter()
            .map(|text| text.as_str().filter(|t| !t.is_empty()).map(str::to_owned))
            .collect()
    };
    match fields.get("stop") {
        None => Ok(Vec::new()),
        Some(value) => texts(value)
            .filter(|texts| texts.len() <= MAX_STOP_TEXTS)
            .ok_or_else(|| fields.fault("stop")),
    }
}
