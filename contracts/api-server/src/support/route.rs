//! Paths, and what answers where there is no operation.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use http::{HeaderValue, header::ALLOW};

use super::{ApiHost, Rejection, reply};

/// A path before its operations are added: `OPTIONS` lists the methods, any other is a 405.
pub fn path<A: ApiHost>(allow: &'static str) -> MethodRouter<Arc<A>> {
    MethodRouter::new()
        .options(move || async move {
            let mut response = reply::empty(204);
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allow));
            response
        })
        .fallback(refuse_method::<A>(allow))
}

/// A handler that answers 405.
pub fn refuse_method<A: ApiHost>(
    allow: &'static str,
) -> impl Fn(State<Arc<A>>, Request) -> Ready<Response> + Clone + Send + Sync + 'static {
    move |State(api), request| {
        let (parts, _) = request.into_parts();
        let rejection = Rejection::MethodNotAllowed { allow };
        ready(
            api.reject(&parts, rejection)
                .allowing(allow)
                .into_response(),
        )
    }
}

/// Adds the answer to unknown paths to the merged routers of a daemon.
pub fn finish<A: ApiHost>(router: Router, api: &Arc<A>) -> Router {
    let api = Arc::clone(api);
    router.fallback(move |request: Request| {
        let (parts, _) = request.into_parts();
        ready(api.reject(&parts, Rejection::NotFound).into_response())
    })
}
