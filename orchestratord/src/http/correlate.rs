//! The id that a request and its reply share, the log line that has it, and the reply of a handler that
//! panics.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use api_server::support::throw_away;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Uri;
use http::uri::{Authority, PathAndQuery};
use tokio::time::Instant;
use tower::Service;

use super::context::{CORRELATION_ID, CorrelationId};
use super::problem;
use crate::keys::hides_a_key;

/// Stands in the log for a path that must not.
const HIDDEN: &str = "(a URL with a key in it)";

/// Routes, with one correlation id on request, reply and log line, and a reply even if a handler panics.
///
/// It stands around the router and is no layer of it: axum would box and copy each route and its layers for every request.
#[derive(Clone)]
pub struct Correlated(Router);

impl Correlated {
    pub(super) fn new(routes: Router) -> Self {
        Self(routes.with_state(()))
    }

    /// The routes themselves.
    pub(super) fn routes(&self) -> &Router {
        &self.0
    }

    /// Answers a request. In a box, which a connection without a request does not keep.
    pub fn answer(&self, request: Request) -> BoxFuture<'static, Response> {
        Box::pin(correlate(request, self.0.clone()))
    }
}

async fn correlate(mut request: Request, mut routes: Router) -> Response {
    let correlation = CorrelationId::of(request.headers());
    request.extensions_mut().insert(correlation.clone());
    let began = Instant::now();
    let method = request.method().clone();
    let uri = request.uri().clone();
    // Whoever reads the log or the reply must not find the key there.
    let leaks = leaks(&uri);
    let path = if leaks { HIDDEN } else { uri.path() };
    // What the handler shares outlives it behind locks, whose poisoning is overcome everywhere.
    let id = correlation.as_str();
    let answering = async {
        if leaks {
            let (head, body) = request.into_parts();
            throw_away(&head.headers, body).await;
            problem::key_in_url(id).into_response()
        } else {
            routes.call(request).await.into_response()
        }
    };
    let caught = AssertUnwindSafe(answering).catch_unwind().await;
    let mut response = caught.unwrap_or_else(|panic| {
        let panic = words(&*panic);
        tracing::error!(correlation_id = id, %method, path, panic, "a handler panicked, which is a fault of the daemon");
        problem::internal(path, id).into_response()
    });
    // To the head of the reply: a stream goes on after it.
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    // What went well is told by metrics and by the task itself; a line for each would cost more than parsing it.
    if method.is_safe() || response.status().is_success() {
        tracing::debug!(correlation_id = id, %method, path, status, ms, "replied");
    } else {
        tracing::info!(correlation_id = id, %method, path, status, ms, "replied");
    }
    response.headers_mut().insert(CORRELATION_ID, correlation.0);
    response
}

/// Whether somebody has put a key where all the world writes it down.
fn leaks(uri: &Uri) -> bool {
    let host = uri.authority().map(Authority::as_str);
    let rest = uri.path_and_query().map(PathAndQuery::as_str);
    [host, rest].into_iter().flatten().any(hides_a_key)
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no words")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use axum::body::{Body, to_bytes};
    use axum::routing::{get, post};
    use http::StatusCode;
    use serde_json::Value;
    use tracing::level_filters::LevelFilter;

    use super::*;

    /// Keeps log lines.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        /// The lines from a level up, with times left out.
        fn read(&self) -> Vec<Value> {
            let bytes = self.0.lock().unwrap().clone();
            let mut lines: Vec<Value> = String::from_utf8(bytes)
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            for line in &mut lines {
                let line = line.as_object_mut().unwrap();
                line.remove("timestamp");
                line.remove("target");
                assert!(line.remove("ms").is_none_or(|ms| ms.is_u64()));
            }
            lines
        }
    }

    fn pretty(json: &Value) -> String {
        serde_json::to_string_pretty(json).unwrap()
    }

    fn compact(lines: &[Value]) -> String {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        lines.join("\n")
    }

    async fn never_replies() -> Response {
        panic!("no {}", "reply");
    }

    /// The reply to a request with the id `mine`, its body as JSON, and what was logged from a level up.
    async fn reply(method: &str, path: &str, level: LevelFilter) -> (Response, Value, Vec<Value>) {
        let routes = Router::new()
            .route("/fine", get(|| async { "{}" }))
            .route("/fine", post(|| async { "{}" }))
            .route("/broken", post(never_replies));
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(level)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(log);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(CORRELATION_ID, "mine")
            .body(Body::from("secret"))
            .unwrap();
        let response = Correlated::new(routes).answer(request).await;
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap();
        (
            Response::from_parts(head, Body::empty()),
            body,
            lines.read(),
        )
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_a_problem_and_logged_under_its_id() {
        let (response, problem, logged) = reply("POST", "/broken", LevelFilter::INFO).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[CORRELATION_ID], "mine");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        insta::assert_snapshot!(pretty(&problem), @r#"
        {
          "code": "INTERNAL",
          "correlation_id": "mine",
          "detail": "the daemon has met a fault of its own, and may have carried out the request or not; its log tells of it under the correlation id",
          "instance": "/broken",
          "retriable": false,
          "status": 500,
          "title": "The daemon has a fault",
          "type": "urn:orchestrator:problem:internal"
        }
        "#);
        insta::assert_snapshot!(compact(&logged), @r#"
        {"correlation_id":"mine","level":"ERROR","message":"a handler panicked, which is a fault of the daemon","method":"POST","panic":"no reply","path":"/broken"}
        {"correlation_id":"mine","level":"INFO","message":"replied","method":"POST","path":"/broken","status":500}
        "#);
    }

    #[tokio::test]
    async fn every_reply_is_logged_once_and_what_went_well_only_for_who_asks() {
        let (response, _, logged) = reply("POST", "/fine?q=secret", LevelFilter::DEBUG).await;
        assert_eq!(response.headers()[CORRELATION_ID], "mine");
        insta::assert_snapshot!(compact(&logged), @r#"{"correlation_id":"mine","level":"DEBUG","message":"replied","method":"POST","path":"/fine","status":200}"#);
        for method in ["GET", "POST"] {
            assert_eq!(
                reply(method, "/fine", LevelFilter::INFO).await.2,
                [] as [Value; 0]
            );
        }
        let (_, _, logged) = reply("GET", "/fine", LevelFilter::DEBUG).await;
        insta::assert_snapshot!(compact(&logged), @r#"{"correlation_id":"mine","level":"DEBUG","message":"replied","method":"GET","path":"/fine","status":200}"#);
    }
}
