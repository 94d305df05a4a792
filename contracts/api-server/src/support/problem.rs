//! The one reply of everything refused or failed.

use api_types::{Problem, ProblemCode};
use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};

use super::reply;
use crate::problem::ProblemHeaders;

/// Status of a caller who is not known.
const UNAUTHORIZED: u32 = 401;

/// A problem, with its headers.
#[derive(Clone, Debug, PartialEq)]
pub struct ProblemReply {
    /// The body. Its `status` is the status of the reply.
    pub problem: Problem,
    /// The headers.
    pub headers: ProblemHeaders,
    allow: Option<&'static str>,
}

impl ProblemReply {
    /// A problem whose headers agree with its `status`, its `retry_after_ms` and its limit.
    pub fn new(problem: Problem) -> Self {
        let headers = ProblemHeaders {
            rate_limit: rate_limit(&problem),
            rate_limit_policy: rate_limit_policy(&problem),
            retry_after: problem.retry_after_ms.map(seconds),
            www_authenticate: (problem.status == UNAUTHORIZED).then(|| "Bearer".to_owned()),
            x_backoff_ms: problem.retry_after_ms,
        };
        Self {
            problem,
            headers,
            allow: None,
        }
    }

    /// Status of the reply; 500 if the problem's is none.
    pub fn status(&self) -> StatusCode {
        u16::try_from(self.problem.status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The same with the header `Allow`, which belongs to every 405.
    pub(super) fn allowing(mut self, allow: &'static str) -> Self {
        self.allow = Some(allow);
        self
    }
}

impl IntoResponse for ProblemReply {
    fn into_response(self) -> Response {
        let mut response = reply::json(self.status().as_u16(), &self.problem);
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        self.headers.apply(&mut response);
        response
    }
}

/// Seconds, rounded up.
fn seconds(ms: u64) -> u32 {
    u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)
}

/// What is left of the quota that refused.
fn rate_limit(problem: &Problem) -> Option<String> {
    let (name, left) = (problem.limit_name.as_ref()?, problem.limit_left?);
    let wait = seconds(problem.retry_after_ms?);
    Some(format!("\"{name}\";r={left};t={wait}"))
}

/// The quota that refused.
fn rate_limit_policy(problem: &Problem) -> Option<String> {
    let (name, max) = (problem.limit_name.as_ref()?, problem.limit_max?);
    problem.limit_left?;
    let window = problem
        .limit_window_s
        .map(|seconds| format!(";w={seconds}"));
    Some(format!("\"{name}\";q={max}{}", window.unwrap_or_default()))
}

/// The `type` of a problem with this code.
pub fn problem_type(code: &ProblemCode) -> String {
    let name = code.as_str().to_ascii_lowercase().replace('_', "-");
    format!("urn:orchestrator:problem:{name}")
}
