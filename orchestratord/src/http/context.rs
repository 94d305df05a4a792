//! What every operation is told about its caller.

use std::sync::Arc;

use api_server::support::{Operation, ProblemReply};
use api_types::ProblemCode;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::fresh::random_id;
use super::host::Host;
use super::problem;
use crate::app::{Caller, Trouble};

/// Header that carries the correlation id both ways.
pub(super) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
/// Most bytes of a caller's own correlation id; a longer one is replaced.
const CORRELATION_ID_BYTES_MAX: usize = 128;

/// Id of a request in replies and in the log.
#[derive(Clone, Debug)]
pub(super) struct CorrelationId(pub(super) HeaderValue);

impl CorrelationId {
    /// The caller's own if it is fit for a log line, else a fresh one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(&CORRELATION_ID).filter(|value| {
            let plain = value
                .to_str()
                .is_ok_and(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
            plain && !value.is_empty() && value.len() <= CORRELATION_ID_BYTES_MAX
        });
        Self(given.cloned().unwrap_or_else(|| {
            let mut text = Uuid::encode_buffer();
            let text = random_id().hyphenated().encode_lower(&mut text);
            HeaderValue::from_str(text).expect("a UUID is fit for a header")
        }))
    }

    /// As text.
    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Who calls, and under which name the call is logged.
pub struct Context {
    /// Who calls.
    pub(super) caller: Caller,
    pub(super) correlation: CorrelationId,
    path: String,
}

impl Context {
    /// The reply to a trouble.
    pub(super) fn refuse(&self, trouble: Trouble) -> ProblemReply {
        let reply = problem::of(trouble, &self.path, self.correlation.as_str());
        // Not to be ready yet is an answer, and whoever waits for the contrary asks often.
        let failed =
            reply.status().is_server_error() && reply.problem.code != ProblemCode::NotReady;
        if failed {
            tracing::warn!(
                correlation_id = self.correlation.as_str(),
                path = self.path,
                code = reply.problem.code.as_str(),
                detail = reply.problem.detail,
                "request failed"
            );
        }
        reply
    }
}

impl FromRequestParts<Arc<Host>> for Context {
    type Rejection = ProblemReply;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Host>) -> Result<Self, ProblemReply> {
        let correlation = parts
            .extensions
            .get::<CorrelationId>()
            .cloned()
            .unwrap_or_else(|| CorrelationId::of(&parts.headers));
        let open = parts
            .extensions
            .get::<&'static Operation>()
            .is_some_and(|operation| operation.security.is_empty());
        debug_assert!(
            open,
            "an operation declares security that nothing here enforces"
        );
        Ok(Self {
            caller: Caller::default(),
            correlation,
            path: parts.uri.path().to_owned(),
        })
    }
}
