//! `POST /apply-template`: messages to the prompt that `/completion` takes.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use serde_json::{Value, json};

use super::App;
use super::error::ApiError;
use super::fields::{Field, Fields};
use crate::template::{Message, TemplateError};

/// Every field that `/apply-template` serves.
pub(crate) const FIELDS: [Field; 2] = [
    Field {
        name: "messages",
        accepts: "array of {\"role\": string, \"content\": string}",
    },
    Field {
        name: "add_generation_prompt",
        accepts: "true or false",
    },
];

pub(crate) async fn apply_template(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let fields = Fields::parse(body, &FIELDS)?;
    let messages = messages(&fields)?;
    let add_generation_prompt = fields.bool("add_generation_prompt", true)?;
    let model = app.model()?;
    let prompt = model
        .chat_template()
        .apply(model.vocabulary(), &messages, add_generation_prompt)
        .map_err(|error| match error {
            TemplateError::Unusable(_) => ApiError::not_supported(error.to_string()),
            TemplateError::Refused(_) => ApiError::invalid(error.to_string()),
        })?;
    Ok(Json(json!({ "prompt": prompt })))
}

fn messages(fields: &Fields) -> Result<Vec<Message>, ApiError> {
    let Some(list) = fields.required("messages")?.as_array() else {
        return Err(fields.fault("messages"));
    };
    list.iter().enumerate().map(message).collect()
}

fn message((i, value): (usize, &Value)) -> Result<Message, ApiError> {
    let Some(members) = value.as_object() else {
        return Err(ApiError::invalid(format!(
            "field `messages[{i}]` is not an object"
        )));
    };
    let text = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| {
                ApiError::invalid(format!("field `messages[{i}].{name}` is not a string"))
            })
    };
    if let Some(unknown) = members
        .keys()
        .find(|name| !["role", "content"].contains(&name.as_str()))
    {
        return Err(ApiError::invalid(format!(
            "field `messages[{i}].{unknown}` is not served; the fields are role, content"
        )));
    }
    Ok(Message {
        role: text("role")?,
        content: text("content")?,
    })
}
