//! The daemon behind the generated routers.

use std::sync::Arc;

use api_server::support::{ApiHost, ProblemReply, Rejection};
use http::request::Parts;

use super::context::{Context, CorrelationId};
use crate::app::App;

/// Implements the generated traits over the app.
pub struct Host {
    pub(super) app: Arc<App>,
}

impl Host {
    /// A host over an app.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

impl ApiHost for Host {
    type Context = Context;

    fn reject(&self, request: &Parts, rejection: Rejection) -> ProblemReply {
        let correlation = request
            .extensions
            .get::<CorrelationId>()
            .cloned()
            .unwrap_or_else(|| CorrelationId::of(&request.headers));
        self.app
            .request_rejected(rejection.code().as_str(), request.uri.path());
        ProblemReply::new(rejection.into_problem(request, correlation.as_str().to_owned()))
    }
}
