//! All operations under one roof.

use std::sync::Arc;

use api_server::support::finish;
use api_server::{control_router, data_router};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;

use super::context::{CORRELATION_ID, CorrelationId};
use super::host::Host;

/// The router of the whole surface.
pub fn router(host: &Arc<Host>) -> Router {
    let routes = data_router(host).merge(control_router(host));
    finish(routes, host).layer(from_fn(correlate))
}

/// Gives every request its correlation id, and every reply too.
async fn correlate(mut request: Request, next: Next) -> Response {
    let correlation = CorrelationId::of(request.headers());
    request.extensions_mut().insert(correlation.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(CORRELATION_ID, correlation.0);
    response
}
