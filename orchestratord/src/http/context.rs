//! What every operation is told about its caller.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use api_server::support::{Operation, ProblemReply, Scope};
use api_types::ProblemCode;
use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use orchestrator_core::key::KeyScope;
use uuid::Uuid;

use super::fresh::random_id;
use super::host::Host;
use super::problem;
use crate::app::{Caller, Trouble};
use crate::keys::{Access, Turned, hides_a_key};

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
            let plain = value.to_str().is_ok_and(|text| {
                text.bytes().all(|byte| byte.is_ascii_graphic()) && !hides_a_key(text)
            });
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

/// Address that a connection comes from, in the extensions of each of its requests.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

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

    async fn from_request_parts(parts: &mut Parts, host: &Arc<Host>) -> Result<Self, ProblemReply> {
        let correlation = parts
            .extensions
            .get::<CorrelationId>()
            .cloned()
            .unwrap_or_else(|| CorrelationId::of(&parts.headers));
        let context = Self {
            caller: Caller::default(),
            correlation,
            path: parts.uri.path().to_owned(),
        };
        let caller = match access(parts) {
            None => Caller::default(),
            Some(access) => admit(host, parts, access)
                .map_err(|turned| context.refuse(Trouble::Turned(turned)))?,
        };
        Ok(Self { caller, ..context })
    }
}

/// What the contract asks of the caller; nothing if anybody may call. A request without an operation, which no
/// router passes on, is let in for whoever runs the deployment only.
fn access(parts: &Parts) -> Option<Access> {
    let Some(operation) = parts.extensions.get::<&'static Operation>() else {
        return Some(Access::To(KeyScope::Operator));
    };
    match operation.scope? {
        Scope::Any => Some(Access::Known),
        Scope::Backup => Some(Access::To(KeyScope::Backup)),
        Scope::Node => Some(Access::To(KeyScope::Node)),
        Scope::Operator => Some(Access::To(KeyScope::Operator)),
        Scope::User => Some(Access::To(KeyScope::User)),
    }
}

fn admit(host: &Host, parts: &Parts, access: Access) -> Result<Caller, Turned> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let header = headers.next().map(HeaderValue::as_bytes);
    if headers.next().is_some() {
        return Err(Turned::Malformed);
    }
    let peer = parts.extensions.get::<Peer>();
    // Every connection of the door has an address; who comes without one shares one with others like that.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    host.app.gate.admit(&host.app.keys(), header, access, peer)
}
