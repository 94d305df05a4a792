//! Why a call gave no result.

use std::{error::Error, time::Duration};

use api_types::Problem;

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server refused or failed, and says why.
    #[error("{} ({}): {}", problem.title, problem.code, problem.detail)]
    Problem {
        /// Status of the reply.
        status: u16,
        /// What the server says.
        problem: Box<Problem>,
        /// How long the server asks to wait before another try.
        retry_after: Option<Duration>,
    },
    /// No reply began: nobody listens there, or the connection broke or fell silent first.
    #[error("cannot reach {url}: {detail}")]
    Unreachable {
        /// What was called.
        url: String,
        /// The innermost cause.
        detail: String,
    },
    /// A reply began and broke off.
    #[error("the reply broke off: {detail}")]
    Interrupted {
        /// The innermost cause.
        detail: String,
    },
    /// Something else than the daemon answered, such as a proxy.
    #[error("unexpected reply with status {status} and {content_type}: {start}")]
    Unexpected {
        /// Status of the reply.
        status: u16,
        /// Its media type.
        content_type: String,
        /// How its body begins.
        start: String,
    },
    /// The reply is not what the contract says, as from a server of another version.
    #[error("the reply does not fit the contract: {detail}")]
    Protocol {
        /// What does not fit.
        detail: String,
    },
    /// The call cannot be made at all.
    #[error("{detail}")]
    InvalidRequest {
        /// What is wrong with it.
        detail: String,
    },
}

impl ApiError {
    /// Whether the same call may succeed later.
    ///
    /// After [`ApiError::Unreachable`] and [`ApiError::Interrupted`] nobody knows whether the
    /// server has acted. Repeating is safe for reads, and for calls that carry a key of their
    /// own, such as the `task_id` of a new task.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Problem { problem, .. } => problem.retriable,
            Self::Unreachable { .. } | Self::Interrupted { .. } => true,
            Self::Unexpected { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            Self::Protocol { .. } | Self::InvalidRequest { .. } => false,
        }
    }

    /// How long the server asks to wait before another try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::Interrupted { .. }
            | Self::Unexpected { .. }
            | Self::Protocol { .. }
            | Self::InvalidRequest { .. } => None,
        }
    }

    /// What the server says, if it said why.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            _ => None,
        }
    }

    pub(crate) fn invalid(error: &reqwest::Error) -> Self {
        Self::InvalidRequest {
            detail: innermost(error),
        }
    }

    /// A request that got no reply.
    pub(crate) fn unreachable(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::invalid(error);
        }
        Self::Unreachable {
            url: error
                .url()
                .map_or_else(|| "the server".to_owned(), ToString::to_string),
            detail: innermost(error),
        }
    }

    /// A reply that did not come to its end.
    pub(crate) fn interrupted(error: &reqwest::Error) -> Self {
        Self::Interrupted {
            detail: innermost(error),
        }
    }
}

/// The innermost cause, which says what happened where the outer ones say who noticed.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
