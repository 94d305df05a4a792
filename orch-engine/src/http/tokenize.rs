//! `POST /tokenize` and `POST /detokenize`: what a text is to the model, and back.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use serde_json::{Value, json};

use super::App;
use super::reply::ApiError;
use super::request::{Field, Fields, MODEL, model_name, token_ids};
use crate::tokenizer::{Encoding, TokenId, Vocabulary};

/// Every field that `/tokenize` serves.
pub(crate) const FIELDS: [Field; 4] = [
    Field {
        name: "content",
        accepts: "string",
    },
    Field {
        name: "add_special",
        accepts: "true or false",
    },
    Field {
        name: "parse_special",
        accepts: "true or false",
    },
    Field {
        name: "with_pieces",
        accepts: "true or false",
    },
];

pub(crate) async fn tokenize(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let fields = Fields::parse(body, &[&MODEL, &FIELDS])?;
    let content = fields.text("content")?.to_owned();
    let encoding = Encoding {
        add_special: fields.bool("add_special", false)?,
        parse_special: fields.bool("parse_special", true)?,
    };
    let with_pieces = fields.bool("with_pieces", false)?;
    let model = app.model(model_name(&fields)?).await?;
    let tokens = tokio::task::spawn_blocking(move || {
        let vocabulary = model.vocabulary();
        let tokens = vocabulary.encode(&content, encoding);
        if with_pieces {
            tokens.iter().map(|&t| piece(vocabulary, t)).collect()
        } else {
            json!(tokens)
        }
    });
    let tokens: Value = tokens
        .await
        .map_err(|error| ApiError::server(error.to_string()))?;
    Ok(Json(json!({ "tokens": tokens })))
}

fn piece(vocabulary: &Vocabulary, token: TokenId) -> Value {
    let bytes = vocabulary.piece(token, true);
    match std::str::from_utf8(&bytes) {
        Ok(text) => json!({ "id": token, "piece": text }),
        Err(_) => json!({ "id": token, "piece": bytes }),
    }
}

/// Every field that `/detokenize` serves.
pub(crate) const DETOKENIZE_FIELDS: [Field; 1] = [Field {
    name: "tokens",
    accepts: "array of token ids",
}];

pub(crate) async fn detokenize(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let fields = Fields::parse(body, &[&MODEL, &DETOKENIZE_FIELDS])?;
    let tokens = token_ids(fields.required("tokens")?).ok_or_else(|| fields.fault("tokens"))?;
    let model = app.model(model_name(&fields)?).await?;
    let vocabulary = model.vocabulary();
    vocabulary
        .check(&tokens)
        .map_err(|unknown| ApiError::unknown_token("tokens", unknown, vocabulary.len()))?;
    Ok(Json(
        json!({ "content": vocabulary.decode_with_special(&tokens) }),
    ))
}
