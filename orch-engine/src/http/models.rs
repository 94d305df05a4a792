//! `GET /v1/models`: what is served.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::App;
use super::reply::ApiError;
use crate::holder::Standing;
use crate::model::Model;

/// One model as llama-server tells of it, several as its router does.
pub(crate) async fn models(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    app.check_started()?;
    if app.has_several() {
        let entries: Vec<Value> = (0..app.aliases.len()).map(|at| entry(&app, at)).collect();
        return Ok(Json(json!({ "data": entries, "object": "list" })));
    }
    let model = app.model(None).await?;
    let alias = app.alias(model.index());
    Ok(Json(json!({
        "models": [{
            "name": alias,
            "model": alias,
            "modified_at": "",
            "size": "",
            "digest": model.digest(),
            "type": "model",
            "description": "",
            "tags": [""],
            "capabilities": ["completion"],
            "parameters": "",
            "details": {
                "parent_model": "",
                "format": "gguf",
                "family": "",
                "families": [""],
                "parameter_size": "",
                "quantization_level": "",
            },
        }],
        "object": "list",
        "data": [{
            "id": alias,
            "aliases": [alias],
            "tags": [],
            "object": "model",
            "created": app.created,
            "owned_by": "llamacpp",
            "meta": meta(&model),
        }],
    })))
}

/// One of several. Its figures are known while it is in memory.
fn entry(app: &App, index: usize) -> Value {
    let status = match app.holder.standing(index) {
        Standing::Loaded => json!({ "value": "loaded" }),
        Standing::Loading => json!({ "value": "loading" }),
        Standing::Unloaded { failed: false } => json!({ "value": "unloaded" }),
        Standing::Unloaded { failed: true } => json!({ "value": "unloaded", "failed": true }),
    };
    let mut entry = json!({
        "id": app.alias(index),
        "aliases": [],
        "tags": [],
        "object": "model",
        "created": app.created,
        "owned_by": "llamacpp",
        "status": status,
    });
    let there = app.holder.there().filter(|model| model.index() == index);
    if let Some(model) = there {
        entry["meta"] = meta(&model);
    }
    entry
}

fn meta(model: &Model) -> Value {
    let dimensions = model.dimensions();
    json!({
        "vocab_type": model.vocabulary().scheme_number(),
        "n_vocab": dimensions.n_vocab,
        "n_ctx": model.n_ctx(),
        "n_ctx_train": dimensions.n_ctx_train,
        "n_embd": dimensions.n_embd,
        "n_params": model.n_params(),
        "size": model.tensor_bytes(),
    })
}
