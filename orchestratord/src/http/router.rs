//! All operations under one roof.

use std::sync::Arc;

use api_server::support::finish;
use api_server::{control_router, data_router};

use super::correlate::Correlated;
use super::host::Host;

/// The router of the whole surface.
pub fn router(host: &Arc<Host>) -> Correlated {
    let routes = data_router(host).merge(control_router(host));
    Correlated::new(finish(routes, host))
}
