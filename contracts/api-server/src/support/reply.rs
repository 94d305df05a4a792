//! Replies, out of the parts that the generated code hands over.

use std::fmt::Display;

use api_types::support::Event;
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Serialize;

use super::EventStream;

/// A reply without a body.
pub fn empty(status: u16) -> Response {
    with_body(status, None, Body::empty())
}

/// A reply in JSON.
pub fn json<T: Serialize>(status: u16, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_body(status, Some("application/json"), Body::from(bytes)),
        // Contract types have text keys and finite numbers, so this needs a type by hand.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A reply in plain text.
pub fn text(status: u16, body: String) -> Response {
    with_body(status, Some("text/plain; charset=utf-8"), Body::from(body))
}

/// A reply that streams events.
pub fn events<E: Event + Send + 'static>(status: u16, events: EventStream<E>) -> Response {
    let mut response = with_body(status, Some("text/event-stream"), events.into_body());
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-store"),
    );
    // Proxies such as nginx would hold tokens back to fill a buffer.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Sets a header; what a header cannot carry becomes `?`.
pub fn header(response: &mut Response, name: &'static str, value: &impl Display) {
    let text: String = value
        .to_string()
        .chars()
        .map(|c| match c {
            ' '..='~' => c,
            _ => '?',
        })
        .collect();
    if let Ok(value) = HeaderValue::from_str(&text) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}

fn with_body(status: u16, media_type: Option<&'static str>, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if let Some(media_type) = media_type {
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    response
}
