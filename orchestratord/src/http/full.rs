//! What callers are told for whom there is no connection left.

use api_server::support::throw_away;
use axum::extract::Request;
use axum::routing::any;
use axum::{Extension, Router};
use tower::ServiceExt;

use super::context::CorrelationId;
use super::correlate::Correlated;
use super::problem;

/// What operators and their probes ask. It is answered truthfully whoever else is there: a daemon that is crowded
/// is alive, and must not be restarted for it.
const FOR_OPERATORS: [&str; 3] = ["/healthz", "/metrics", "/readyz"];

/// Answers every request that as many connections as there may be are open, but those of operators as `routes` do.
pub fn full_router(routes: &Correlated, connections_max: usize) -> Correlated {
    let refuse = async move |Extension(correlation): Extension<CorrelationId>, request: Request| {
        let (head, body) = request.into_parts();
        // Who is still sending when the connection closes may never see the answer.
        throw_away(&head.headers, body).await;
        problem::of_full_house(connections_max, head.uri.path(), correlation.as_str())
    };
    let refusing = Router::new().fallback(refuse);
    let full = FOR_OPERATORS.into_iter().fold(refusing, |so_far, path| {
        let routes = routes.routes().clone();
        so_far.route(
            path,
            any(async move |request: Request| routes.oneshot(request).await),
        )
    });
    Correlated::new(full)
}
