//! What the engine is and does: `/health`, `/props`, `/slots`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::reply::ApiError;
use super::request::{ModelQuery, Wanted};

pub(crate) async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    app.check_started()?;
    Ok(Json(json!({ "status": "ok" })))
}

pub(crate) async fn props(
    State(app): State<Arc<App>>,
    Query(query): Query<ModelQuery>,
) -> Result<Json<Value>, ApiError> {
    let model = app.model(query.model.as_deref()).await?;
    let vocabulary = model.vocabulary();
    Ok(Json(json!({
        "default_generation_settings": {
            "params": Wanted::default_settings()?,
            "n_ctx": model.n_ctx(),
        },
        "total_slots": 1,
        "model_alias": app.alias(model.index()),
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

#[derive(Deserialize)]
pub(crate) struct SlotsQuery {
    fail_on_no_slot: Option<String>,
}

pub(crate) async fn slots(
    State(app): State<Arc<App>>,
    Query(query): Query<SlotsQuery>,
) -> Result<Json<Value>, ApiError> {
    app.check_started()?;
    let running = app.slot.running();
    if query.fail_on_no_slot.is_some() && running.is_some() {
        return Err(ApiError::unavailable("no slot available"));
    }
    let there = app.holder.there();
    let mut slot = json!({
        "id": 0,
        // Between two models it has none.
        "n_ctx": there.as_ref().map_or(0, |model| model.n_ctx()),
        "speculative": false,
        "is_processing": running.is_some(),
    });
    if app.has_several() {
        slot["model"] = json!(there.as_ref().map(|model| app.alias(model.index())));
    }
    drop(there);
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
