//! What an engine's failure means, decided in one place.

use std::error::Error;
use std::fmt::Write;

use reqwest::StatusCode;
use worker_adapter::AdapterError;

use crate::wire::{ErrorBody, ErrorReply};

/// How much of a reply an error quotes, in characters.
const QUOTED_CHARS: usize = 300;

/// What a reply with an error status means.
pub(crate) fn from_reply(status: StatusCode, body: &[u8]) -> AdapterError {
    match serde_json::from_slice::<ErrorReply>(body) {
        Ok(reply) => from_error(status.as_u16(), &reply.error),
        Err(_) => from_status(status.as_u16(), "", quote(body)),
    }
}

/// What an error in the middle of a stream means; its code stands in for a status.
pub(crate) fn from_frame(error: &ErrorBody) -> AdapterError {
    from_error(error.code.unwrap_or(500), error)
}

fn from_error(status: u16, error: &ErrorBody) -> AdapterError {
    if error.kind == "exceed_context_size_error"
        && let (Some(tokens), Some(ctx)) = (error.n_prompt_tokens, error.n_ctx)
    {
        return AdapterError::ContextExceeded { tokens, ctx };
    }
    from_status(status, &error.kind, quote(error.message.as_bytes()))
}

/// | status or type | means |
/// | --- | --- |
/// | 503, 429, `unavailable_error` | busy or loading: no room now |
/// | 400 to 499, 501 | refused: the same request would be refused again |
/// | 500 to 599 | the engine broke |
/// | any other | not this protocol |
fn from_status(status: u16, kind: &str, message: String) -> AdapterError {
    let told = format!("status {status}: {message}");
    match status {
        429 | 503 => AdapterError::Busy(told),
        _ if kind == "unavailable_error" => AdapterError::Busy(told),
        400..=499 | 501 => AdapterError::Refused(told),
        500..=599 => AdapterError::Reset(told),
        _ => AdapterError::Protocol(told),
    }
}

/// What an error of the connection means, before any reply or in the middle of one.
pub(crate) fn from_transport(url: &str, error: reqwest::Error) -> AdapterError {
    let error = error.without_url();
    if error.is_builder() || error.is_connect() {
        AdapterError::Unreachable {
            url: url.to_owned(),
            detail: chain(&error),
        }
    } else {
        AdapterError::Reset(chain(&error))
    }
}

/// A reply that is not what the protocol says.
pub(crate) fn not_the_protocol(what: &str, error: &dyn Error, body: &[u8]) -> AdapterError {
    AdapterError::Protocol(format!("{what}: {error}; it begins: {}", quote(body)))
}

/// An error with its causes, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// The beginning of a body as printable text.
pub(crate) fn quote(body: &[u8]) -> String {
    let head = &body[..body.len().min(4 * QUOTED_CHARS)];
    String::from_utf8_lossy(head)
        .chars()
        .take(QUOTED_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> AdapterError {
        from_reply(
            StatusCode::from_u16(status).unwrap_or_default(),
            body.as_bytes(),
        )
    }

    /// The first three were recorded from llama-server.
    #[test]
    fn a_failure_means_one_thing() {
        let cases = [
            (
                400,
                r#"{"error":{"code":400,"type":"exceed_context_size_error","n_prompt_tokens":1401,"n_ctx":512,"message":"too long"}}"#,
            ),
            (
                500,
                r#"{"error":{"code":500,"message":"[json.exception.parse_error.101]","type":"server_error"}}"#,
            ),
            (
                503,
                r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            ),
            (
                400,
                r#"{"error":{"code":400,"type":"exceed_context_size_error","message":"no counts"}}"#,
            ),
            (
                500,
                r#"{"error":{"message":"no slot","type":"unavailable_error"}}"#,
            ),
            (
                501,
                r#"{"error":{"message":"off","type":"not_supported_error"}}"#,
            ),
            (429, ""),
            (404, "<html>not here</html>"),
            (302, ""),
            (502, "bad\ngateway"),
        ];
        let table: Vec<String> = cases
            .iter()
            .map(|(status, body)| format!("{status} {:?}", told(*status, body)))
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        400 ContextExceeded { tokens: 1401, ctx: 512 }
        500 Reset("status 500: [json.exception.parse_error.101]")
        503 Busy("status 503: Loading model")
        400 Refused("status 400: no counts")
        500 Busy("status 500: no slot")
        501 Refused("status 501: off")
        429 Busy("status 429: ")
        404 Refused("status 404: <html>not here</html>")
        302 Protocol("status 302: ")
        502 Reset("status 502: bad gateway")
        "#);
    }
}
