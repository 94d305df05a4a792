//! `POST /apply-template`: messages to the prompt that `/completion` takes.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use serde_json::{Value, json};

use super::App;
use super::reply::ApiError;
use super::request::{Conversation, Fields, MESSAGES};

pub(crate) async fn apply_template(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let conversation = Conversation::read(&Fields::parse(body, &[&MESSAGES])?)?;
    let prompt = conversation.prompt(&*app.model()?)?;
    Ok(Json(json!({ "prompt": prompt })))
}
