//! Which model a request is for.

use serde::Deserialize;

use super::fields::{Field, Fields};
use crate::http::reply::ApiError;

/// The field that every path with a body has.
pub(crate) const MODEL: [Field; 1] = [Field {
    name: "model",
    accepts: "string",
}];

/// The name that a body gives.
pub(crate) fn model_name(fields: &Fields) -> Result<Option<&str>, ApiError> {
    match fields.get("model") {
        None => Ok(None),
        Some(name) => name.as_str().map(Some).ok_or_else(|| fields.fault("model")),
    }
}

/// The part of a query that names a model.
#[derive(Debug, Deserialize)]
pub(crate) struct ModelQuery {
    pub(crate) model: Option<String>,
}
