//! Reading a request's body.

use std::{collections::HashMap, error::Error, fmt, sync::Mutex, time::Duration};

use api_types::{ProblemFault, support::Validate};
use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
};
use serde::de::DeserializeOwned;

use super::{
    Rejection,
    explain::{Explainer, fault},
};

/// How much of a body that is too long is read and thrown away before the answer. A client
/// that is still sending when the connection closes may never see why.
const DRAIN_BYTES: u64 = 64 * 1024 * 1024;

/// Refuses a body that is not JSON by its `Content-Type`.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let given = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let is_json = given.as_deref().is_some_and(|given| {
        let name = given.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("application/json")
    });
    match is_json {
        true => Ok(()),
        false => Err(Rejection::UnsupportedMediaType { given }),
    }
}

/// Reads a body of at most `limit_bytes`.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit_bytes: u64,
) -> Result<Bytes, Rejection> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(length) = announced.filter(|length| *length > limit_bytes) {
        if length <= DRAIN_BYTES {
            throw_away(headers, body).await;
        }
        return Err(Rejection::BodyTooLarge { limit_bytes });
    }
    let mut stream = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if (whole.len() + chunk.len()) as u64 > limit_bytes {
            drain(stream).await;
            return Err(Rejection::BodyTooLarge { limit_bytes });
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// The error of a request's body that the daemon has stopped waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyOverdue {
    /// Time that the body may take.
    pub limit: Duration,
}

impl fmt::Display for BodyOverdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.limit.as_millis();
        write!(f, "the body did not come whole within {ms} ms")
    }
}

impl Error for BodyOverdue {}

/// Why a body has no end.
fn broken(error: &axum::Error) -> Rejection {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        if let Some(BodyOverdue { limit }) = error.downcast_ref() {
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            return Rejection::BodyOverdue { limit_ms };
        }
        cause = error.source();
    }
    Rejection::BodyIncomplete
}

/// Reads a body that nobody needs to its end, so that the answer is seen; not that of a client that asks first,
/// which has sent nothing yet, and not beyond some 64 MiB.
pub async fn throw_away(headers: &HeaderMap, body: Body) {
    if !headers.contains_key(EXPECT) {
        drain(body.into_data_stream()).await;
    }
}

/// Reads on to the end, or until it is enough.
async fn drain(mut stream: BodyDataStream) {
    let mut left = DRAIN_BYTES;
    while let Some(Ok(chunk)) = stream.next().await {
        match left.checked_sub(chunk.len() as u64) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// The JSON Schemas of everything that travels in requests. They are compiled when they are
/// first needed, which is when a body has a fault.
#[derive(Debug)]
pub struct RequestSchemas {
    text: &'static str,
    compiled: Mutex<Option<HashMap<&'static str, Explainer>>>,
}

impl RequestSchemas {
    /// Schemas as the generator wrote them.
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            compiled: Mutex::new(None),
        }
    }

    /// Reads a body by the fast path; if that fails, looks for every fault by the schema.
    ///
    /// # Errors
    ///
    /// [`Rejection::Invalid`], with at least one fault.
    pub fn read<T: DeserializeOwned + Validate>(&self, bytes: &[u8]) -> Result<T, Rejection> {
        let first = match serde_json::from_slice::<T>(bytes) {
            Ok(value) => match value.validate() {
                Ok(()) => return Ok(value),
                Err(found) => fault(found.pointer, found.detail),
            },
            Err(error) => fault(String::new(), error.to_string()),
        };
        let mut faults = self.faults(T::SCHEMA, bytes);
        if faults.is_empty() {
            faults.push(first);
        }
        Err(Rejection::Invalid { faults })
    }

    /// Every fault of a body by the named schema alone.
    pub fn faults(&self, name: &'static str, bytes: &[u8]) -> Vec<ProblemFault> {
        let value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(error) => {
                let detail = format!("not JSON: {error}");
                return vec![fault(String::new(), detail)];
            }
        };
        let mut compiled = match self.compiled.lock() {
            Ok(compiled) => compiled,
            // A panic while compiling left nothing half done: entries are whole or absent.
            Err(poisoned) => poisoned.into_inner(),
        };
        compiled
            .get_or_insert_default()
            .entry(name)
            .or_insert_with(|| Explainer::compile(self.text, name))
            .faults(&value)
    }
}
