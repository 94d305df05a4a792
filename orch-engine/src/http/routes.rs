//! Which paths there are, and what is the same for all of them.

use std::sync::{Arc, OnceLock};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::Uri;
use axum::routing::{get, post};
use axum::{Router, middleware};

use super::openai::chat::chat_completions;
use super::openai::completions::completions;
use super::reply::{ApiError, explain_wrong_method};
use super::{apply_template, completion, info, metrics, tokenize};
use crate::model::Model;
use crate::slot::Slot;

/// The largest request body, in bytes. A prompt for the largest context is far smaller.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// What the handlers share.
pub(crate) struct App {
    /// What the model is called in replies.
    pub(crate) alias: String,
    /// Seconds since 1970 when the engine was started.
    pub(crate) created: u64,
    pub(crate) engine_version: String,
    /// Empty while the model is being loaded.
    pub(crate) model: OnceLock<Arc<Model>>,
    pub(crate) slot: Arc<Slot>,
}

impl App {
    /// The model, if it is loaded.
    pub(crate) fn model(&self) -> Result<Arc<Model>, ApiError> {
        self.model.get().cloned().ok_or_else(ApiError::loading)
    }
}

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/health", get(info::health))
        .route("/v1/health", get(info::health))
        .route("/props", get(info::props))
        .route("/slots", get(info::slots))
        .route("/models", get(info::models))
        .route("/v1/models", get(info::models))
        .route("/metrics", get(metrics::metrics))
        .route("/completion", post(completion::completion))
        .route("/completions", post(completion::completion))
        .route("/v1/completions", post(completions))
        .route("/chat/completions", post(chat_completions))
        .route("/v1/chat/completions", post(chat_completions))
        .route("/apply-template", post(apply_template::apply_template))
        .route("/tokenize", post(tokenize::tokenize))
        .route("/detokenize", post(tokenize::detokenize))
        .fallback(unknown_path)
        .layer(middleware::map_response(explain_wrong_method))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(app)
}

async fn unknown_path(State(_): State<Arc<App>>, uri: Uri) -> ApiError {
    ApiError::not_found(uri.path())
}
