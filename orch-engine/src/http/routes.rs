//! Which paths there are, and what is the same for all of them.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::Uri;
use axum::routing::{get, post};
use axum::{Router, middleware};

use super::openai::chat::chat_completions;
use super::openai::completions::completions;
use super::reply::{ApiError, explain_wrong_method};
use super::{App, apply_template, completion, info, metrics, models, tokenize};

/// The largest request body, in bytes. A prompt for the largest context is far smaller.
pub(crate) const MAX_BODY: usize = 1 << 20;

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/health", get(info::health))
        .route("/v1/health", get(info::health))
        .route("/props", get(info::props))
        .route("/slots", get(info::slots))
        .route("/models", get(models::models))
        .route("/v1/models", get(models::models))
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
