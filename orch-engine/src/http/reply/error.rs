//! Errors as llama.cpp writes them: `{"error":{"code","message","type"}}`.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::http::MAX_BODY;
use crate::slot::{MAX_WAITING, Refusal};
use crate::tokenizer::TokenId;

/// A refusal or a failure, ready to be sent.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    /// Further members of the error object.
    figures: Map<String, Value>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            figures: Map::new(),
        }
    }

    /// The request cannot be understood or asks for something out of range.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// A number that no token has.
    pub(crate) fn unknown_token(field: &str, token: TokenId, n_vocab: usize) -> Self {
        Self::invalid(format!(
            "field `{field}` has the token {token}; the vocabulary ends at {}",
            n_vocab - 1
        ))
    }

    /// No model has this name.
    pub(crate) fn unknown_model(name: &str, known: &[String]) -> Self {
        Self::invalid(format!(
            "model '{name}' not found; the models are {}",
            known.join(", ")
        ))
    }

    pub(crate) fn not_found(path: &str) -> Self {
        let message = format!("there is nothing at {path}");
        Self::new(StatusCode::NOT_FOUND, "not_found_error", message)
    }

    /// The model cannot do what this path is for.
    pub(crate) fn not_supported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_supported_error", message)
    }

    pub(crate) fn server(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable_error",
            message,
        )
    }

    pub(crate) fn loading() -> Self {
        Self::unavailable("Loading model")
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self::unavailable(match refusal {
            Refusal::Full => format!("{MAX_WAITING} requests are waiting already"),
            Refusal::Closed => "the engine is shutting down".to_owned(),
        })
    }

    pub(crate) fn too_long(n_prompt_tokens: usize, n_ctx: usize) -> Self {
        let message = format!(
            "the prompt has {n_prompt_tokens} tokens; a context of {n_ctx} holds at most {} and one \
             of the reply",
            n_ctx - 1
        );
        let mut error = Self::new(
            StatusCode::BAD_REQUEST,
            "exceed_context_size_error",
            message,
        );
        error
            .figures
            .insert("n_prompt_tokens".to_owned(), json!(n_prompt_tokens));
        error.figures.insert("n_ctx".to_owned(), json!(n_ctx));
        error
    }

    /// The body could not be read, or is too large.
    pub(crate) fn body(rejection: &BytesRejection) -> Self {
        let status = rejection.status();
        let message = if status == StatusCode::PAYLOAD_TOO_LARGE {
            format!("the body has more than {MAX_BODY} bytes")
        } else {
            rejection.body_text()
        };
        Self::new(status, "invalid_request_error", message)
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut error = Map::new();
        error.insert("code".to_owned(), json!(self.status.as_u16()));
        error.insert("message".to_owned(), json!(self.message));
        error.insert("type".to_owned(), json!(self.kind));
        error.extend(self.figures.clone());
        json!({ "error": error })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.to_json())).into_response()
    }
}

/// Gives the router's own 405, which has an `Allow` header and no body, a body like all others.
pub(crate) async fn explain_wrong_method(response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request_error",
        "this path does not answer this method; the Allow header says which it does",
    )
    .into_response()
}
