//! What callers are told for whom there is no connection left.

use axum::http::Uri;
use axum::{Extension, Router};

use super::context::CorrelationId;
use super::correlate::correlated;
use super::problem;

/// Answers every request that more connections than `connections_max` are open.
pub fn full_router(connections_max: usize) -> Router {
    let refuse = async move |Extension(correlation): Extension<CorrelationId>, uri: Uri| {
        problem::of_full_house(connections_max, uri.path(), correlation.as_str())
    };
    correlated(Router::new().fallback(refuse))
}
