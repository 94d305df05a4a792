//! What the engine is and does: `/health`, `/props`, `/slots`, `/v1/models`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::reply::ApiError;
use super::request::Wanted;

pub(crate) async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    app.model()?;
    Ok(Json(json!({ "status": "ok" })))
}

pub(crate) async fn props(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let model = app.model()?;
    let vocabulary = model.vocabulary();
    Ok(Json(json!({
        "default_generation_settings": {
            "params": Wanted::default_settings()?,
            "n_ctx": model.n_ctx(),
        },
        "total_slots": 1,
        "model_alias": app.alias,
        "model_path": model.name(),
        "modalities": { "vision": false, "audio": false, "video": false },
        "endpoint_slots": true,
        "endpoint_props": true,
        "endpoint_metrics": true,
        "chat_template": model.chat_template().source(),
        "bos_token": vocabulary.bos_text(),
        "eos_token": vocabulary.eos_text(),
        "build_info": app.engine_version,
        "engine_version": app.engine_version,
        "cpu": crate::version::cpu(),
        "model_digest": model.digest(),
        "keeps_connections": true,
    })))
}

pub(crate) async fn models(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let model = app.model()?;
    let dimensions = model.dimensions();
    Ok(Json(json!({
        "models": [{
            "name": app.alias,
            "model": app.alias,
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
            "id": app.alias,
            "aliases": [app.alias],
            "tags": [],
            "object": "model",
            "created": app.created,
            "owned_by": "llamacpp",
            "meta": {
                "vocab_type": model.vocabulary().scheme_number(),
                "n_vocab": dimensions.n_vocab,
                "n_ctx": model.n_ctx(),
                "n_ctx_train": dimensions.n_ctx_train,
                "n_embd": dimensions.n_embd,
                "n_params": model.n_params(),
                "size": model.tensor_bytes(),
            },
        }],
    })))
}

#[derive(Deserialize)]
pub(crate) struct SlotsQuery {
    fail_on_no_slot: Option<String>,
}

pub(crate) async fn slots(
    State(app): State<Arc<App>>,
    Query(query): Query<SlotsQuery>,
) -> Result<Json<Value>, ApiError> {
    let model = app.model()?;
    let running = app.slot.running();
    if query.fail_on_no_slot.is_some() && running.is_some() {
        return Err(ApiError::unavailable("no slot available"));
    }
    let mut slot = json!({
        "id": 0,
        "n_ctx": model.n_ctx(),
        "speculative": false,
        "is_processing": running.is_some(),
    });
    if let Some(running) = running {
        let n_remain = running
            .n_predict
            .map_or(json!(-1), |n| json!(n.saturating_sub(running.n_decoded)));
        slot["id_task"] = json!(running.id);
        slot["n_prompt_tokens"] = json!(running.n_prompt);
        slot["next_token"] = json!([{
            "has_next_token": true,
            "n_remain": n_remain,
            "n_decoded": running.n_decoded,
        }]);
    }
    Ok(Json(json!([slot])))
}
