//! `POST /apply-template`: messages to the prompt that `/completion` takes.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use serde_json::{Value, json};

use super::App;
use super::reply::ApiError;
use super::request::{Conversation, Fields, MESSAGES, MODEL, model_name};

pub(crate) async fn apply_template(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let fields = Fields::parse(body, &[&MODEL, &MESSAGES])?;
    let conversation = Conversation::read(&fields)?;
    let model = app.model(model_name(&fields)?).await?;
    let prompt = conversation.prompt(&model)?;
    Ok(Json(json!({ "prompt": prompt })))
}
