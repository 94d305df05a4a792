//! All operations under one roof.

use std::sync::Arc;

use api_server::support::finish;
use api_server::{control_router, data_router};
use axum::Router;

use super::correlate::correlated;
use super::host::Host;

/// The router of the whole surface.
pub fn router(host: &Arc<Host>) -> Router {
    let routes = data_router(host).merge(control_router(host));
    correlated(finish(routes, host))
}
