//! From replies to results.

use std::{ops::Deref, time::Duration};

use api_types::Problem;
use bytes::Bytes;
use futures_util::StreamExt;
use progenitor_client::{ByteStream, Error, ResponseValue};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};

use super::ApiError;

/// Most bytes of a text, or of a refusal, that are taken in.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much of an unexpected body an error shows.
const START_CHARS: usize = 200;

/// A reply that is no problem. It stands for its body.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// Status of the reply.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: T,
}

impl<T> Reply<T> {
    /// The body alone.
    pub fn into_body(self) -> T {
        self.body
    }

    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}

/// The result of a generated call.
pub async fn settle<T>(outcome: Result<ResponseValue<T>, Error<()>>) -> Result<Reply<T>, ApiError> {
    match outcome {
        Ok(value) => Ok(Reply {
            status: value.status(),
            headers: value.headers().clone(),
            body: value.into_inner(),
        }),
        Err(error) => Err(refused(error).await),
    }
}

/// The result of a generated call whose reply is text.
pub async fn settle_text(
    outcome: Result<ResponseValue<ByteStream>, Error<()>>,
) -> Result<Reply<String>, ApiError> {
    let Reply {
        status,
        headers,
        body,
    } = settle(outcome).await?;
    let mut stream = body.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| ApiError::interrupted(&error))?);
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(ApiError::Protocol {
                detail: format!("the text is longer than {TEXT_BYTES_MAX} bytes"),
            });
        }
    }
    let body = String::from_utf8(bytes).map_err(|error| ApiError::Protocol {
        detail: format!("the text is not UTF-8: {error}"),
    })?;
    Ok(Reply {
        status,
        headers,
        body,
    })
}

async fn refused(error: Error<()>) -> ApiError {
    match error {
        Error::CommunicationError(error) => ApiError::unreachable(&error),
        Error::ResponseBodyError(error) | Error::InvalidUpgrade(error) => {
            ApiError::interrupted(&error)
        }
        Error::InvalidResponsePayload(_, error) => ApiError::Protocol {
            detail: error.to_string(),
        },
        Error::UnexpectedResponse(response) => from_response(response).await,
        Error::ErrorResponse(value) => ApiError::Protocol {
            detail: format!("status {}", value.status()),
        },
        Error::InvalidRequest(detail) | Error::Custom(detail) => {
            ApiError::InvalidRequest { detail }
        }
    }
}

/// The error that a reply without success means.
pub(super) async fn from_response(response: Response) -> ApiError {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = match take(response).await {
        Ok(body) => body,
        Err(error) => return ApiError::interrupted(&error),
    };
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => ApiError::Problem {
            status,
            retry_after: retry_after(&headers, &problem),
            problem: Box::new(problem),
        },
        Err(_) => ApiError::Unexpected {
            status,
            content_type: headers
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .unwrap_or("no media type")
                .to_owned(),
            start: String::from_utf8_lossy(&body)
                .chars()
                .take(START_CHARS)
                .collect(),
        },
    }
}

/// The body, up to a bound.
async fn take(mut response: Response) -> Result<Bytes, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_BYTES_MAX {
            break;
        }
    }
    Ok(Bytes::from(bytes))
}

/// The finest of the three ways in which a server asks for patience.
fn retry_after(headers: &HeaderMap, problem: &Problem) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    problem
        .retry_after_ms
        .or_else(|| number("x-backoff-ms"))
        .map(Duration::from_millis)
        .or_else(|| number(RETRY_AFTER.as_str()).map(Duration::from_secs))
}
