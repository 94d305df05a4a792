//! Plain calls: one request, one bounded reply, in time.

use bytes::{Bytes, BytesMut};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use worker_adapter::AdapterError;

use crate::failure;

/// How long a plain reply may be, in bytes: `/props` holds the chat template.
pub(crate) const MAX_REPLY_BYTES: usize = 4 << 20;

/// Sends a request and gives its response once the headers are here.
pub(crate) async fn send(url: &str, request: RequestBuilder) -> Result<Response, AdapterError> {
    request
        .send()
        .await
        .map_err(|error| failure::from_transport(url, error))
}

/// Sends a request and gives the status and body of the reply, whatever the status.
pub(crate) async fn reply(
    url: &str,
    request: RequestBuilder,
    max_bytes: usize,
) -> Result<(StatusCode, Bytes), AdapterError> {
    let response = send(url, request).await?;
    let status = response.status();
    Ok((status, body(url, response, max_bytes).await?))
}

/// The whole body of a response, if it is not longer than `max_bytes`.
pub(crate) async fn body(
    url: &str,
    mut response: Response,
    max_bytes: usize,
) -> Result<Bytes, AdapterError> {
    let mut body = BytesMut::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| failure::from_transport(url, error))?
    {
        if body.len() + piece.len() > max_bytes {
            return Err(AdapterError::Protocol(format!(
                "a reply of more than {max_bytes} bytes"
            )));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Reads a reply's body, or tells what its error status means.
pub(crate) fn read<T: DeserializeOwned>(
    what: &str,
    (status, body): (StatusCode, Bytes),
) -> Result<T, AdapterError> {
    if status != StatusCode::OK {
        return Err(failure::from_reply(status, &body));
    }
    serde_json::from_slice(&body).map_err(|error| failure::not_the_protocol(what, &error, &body))
}
