//! One request on its way to its operation.

use std::sync::Arc;

use api_types::support::Validate;
use axum::{
    body::Body,
    extract::{FromRequestParts, RawPathParams, Request},
    response::{IntoResponse, Response},
};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{ApiHost, Operation, ProblemReply, Rejection, RequestSchemas, accept, body};

/// A request whose path and method have named an operation.
#[derive(Debug)]
pub struct Call {
    operation: &'static Operation,
    parts: Parts,
    path: Vec<(String, String)>,
    body: Body,
}

impl Call {
    /// Takes a request in and puts its operation into its extensions.
    pub async fn open(operation: &'static Operation, request: Request) -> Self {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(operation);
        // An error here means bytes that are no text; the parameter then counts as missing.
        let path = RawPathParams::from_request_parts(&mut parts, &()).await;
        let path = path.map(|params| {
            params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        });
        Self {
            operation,
            parts,
            path: path.unwrap_or_default(),
            body,
        }
    }

    /// The head of the request.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Parameters of the path, percent-decoded.
    pub(super) fn path(&self) -> &[(String, String)] {
        &self.path
    }

    /// Makes the context of the request.
    ///
    /// # Errors
    ///
    /// The problem by which the daemon refuses the caller.
    pub async fn context<A: ApiHost>(&mut self, api: &Arc<A>) -> Result<A::Context, ProblemReply> {
        A::Context::from_request_parts(&mut self.parts, api).await
    }

    /// Checks that the caller accepts what the operation produces.
    ///
    /// # Errors
    ///
    /// [`Rejection::NotAcceptable`].
    pub fn accepts(&self) -> Result<(), Rejection> {
        let produces = self.operation.produces;
        match produces.is_empty() || accept::accepts(&self.parts.headers, produces) {
            true => Ok(()),
            false => Err(Rejection::NotAcceptable { produces }),
        }
    }

    /// Reads and checks the body.
    ///
    /// # Errors
    ///
    /// If its media type, length or content is not what the contract says. The faults of the
    /// content are complete: each field, with its pointer.
    pub async fn json<T>(&mut self, schemas: &'static RequestSchemas) -> Result<T, Rejection>
    where
        T: DeserializeOwned + Validate,
    {
        body::check_media_type(&self.parts.headers)?;
        let body = std::mem::take(&mut self.body);
        let bytes = body::read(&self.parts.headers, body, self.operation.body_limit_bytes).await?;
        schemas.read(&bytes)
    }

    /// Answers with the daemon's problem for a rejection.
    pub fn refuse<A: ApiHost>(&self, api: &A, rejection: Rejection) -> Response {
        api.reject(&self.parts, rejection).into_response()
    }
}
