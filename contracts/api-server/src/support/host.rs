//! What a daemon gives to all its operations.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{ProblemReply, Rejection};

/// The daemon behind the routers.
pub trait ApiHost: Send + Sync + Sized + 'static {
    /// What every operation is told about its caller, such as principal and correlation id.
    ///
    /// It is made before the body is read, with the `&'static Operation` in the request's
    /// extensions: `parts.extensions.get::<&'static Operation>()`. The operation's declared
    /// security is enforced here, and here only.
    type Context: FromRequestParts<Arc<Self>, Rejection = ProblemReply> + Send;

    /// Turns a request that never reached an operation's method into a problem, usually by
    /// [`Rejection::into_problem`]. The operation stands in the extensions unless the path or
    /// method is unknown.
    fn reject(&self, request: &Parts, rejection: Rejection) -> ProblemReply;
}
