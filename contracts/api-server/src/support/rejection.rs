//! Why a request never reached an operation's method.

use api_types::{Problem, ProblemCode, ProblemFault};
use http::{StatusCode, request::Parts};

use super::problem_type;

/// A request that the router refuses by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// No operation has this path.
    NotFound,
    /// The path has other methods.
    MethodNotAllowed {
        /// Value of the header `Allow`.
        allow: &'static str,
    },
    /// The caller accepts no media type that the operation produces.
    NotAcceptable {
        /// What the operation produces.
        produces: &'static str,
    },
    /// The body is not JSON by its `Content-Type`.
    UnsupportedMediaType {
        /// The `Content-Type`, if there was one.
        given: Option<String>,
    },
    /// The body is too long.
    BodyTooLarge {
        /// Most bytes that it may have.
        limit_bytes: u64,
    },
    /// The body broke off.
    BodyIncomplete,
    /// The body took too long.
    BodyOverdue {
        /// Milliseconds that it may take.
        limit_ms: u64,
    },
    /// Parameters or body do not fit the contract.
    Invalid {
        /// Every fault found.
        faults: Vec<ProblemFault>,
    },
}

impl Rejection {
    /// Status of the reply.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyOverdue { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::BodyIncomplete | Self::Invalid { .. } => StatusCode::BAD_REQUEST,
        }
    }

    /// Code of the problem.
    pub fn code(&self) -> ProblemCode {
        match self {
            Self::NotFound => ProblemCode::NotFound,
            Self::MethodNotAllowed { .. } => ProblemCode::MethodNotAllowed,
            Self::NotAcceptable { .. } => ProblemCode::NotAcceptable,
            Self::UnsupportedMediaType { .. } => ProblemCode::UnsupportedMediaType,
            Self::BodyTooLarge { .. } => ProblemCode::BodyTooLarge,
            Self::BodyOverdue { .. } => ProblemCode::RequestTimeout,
            Self::BodyIncomplete | Self::Invalid { .. } => ProblemCode::InvalidParams,
        }
    }

    /// Summary, the same for every occurrence of the code.
    pub fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "There is nothing here",
            Self::MethodNotAllowed { .. } => "The path has no such method",
            Self::NotAcceptable { .. } => "No acceptable media type",
            Self::UnsupportedMediaType { .. } => "The body has another media type",
            Self::BodyTooLarge { .. } => "The body is too large",
            Self::BodyOverdue { .. } => "The body took too long",
            Self::BodyIncomplete | Self::Invalid { .. } => "The request has faults",
        }
    }

    /// What happened, and what to do.
    pub fn detail(&self) -> String {
        match self {
            Self::NotFound => "no operation has this path; /openapi/data.json and \
                /openapi/control.json list them"
                .to_owned(),
            Self::MethodNotAllowed { allow } => format!("this path takes {allow}"),
            Self::NotAcceptable { produces } => {
                format!("the reply is {produces}; accept that, or leave out the header Accept")
            }
            Self::UnsupportedMediaType { given } => format!(
                "send JSON with `Content-Type: application/json`; this request had {}",
                given.as_deref().unwrap_or("no Content-Type")
            ),
            Self::BodyTooLarge { limit_bytes } => {
                format!("the body may have at most {limit_bytes} bytes")
            }
            Self::BodyIncomplete => "the body broke off before its end".to_owned(),
            Self::BodyOverdue { limit_ms } => format!(
                "the body did not come whole within {limit_ms} ms, and nothing was done; send it faster, \
                 or have server.body_timeout_ms raised"
            ),
            Self::Invalid { faults } => match faults.as_slice() {
                [only] => format!("{}: {}", place(&only.pointer), only.detail),
                more => format!("{} faults; see errors", more.len()),
            },
        }
    }

    /// The problem to answer with.
    pub fn into_problem(self, request: &Parts, correlation_id: String) -> Problem {
        let code = self.code();
        let limit_name = match &self {
            Self::BodyTooLarge { .. } => Some("body_limit_bytes".to_owned()),
            Self::BodyOverdue { .. } => Some("server.body_timeout_ms".to_owned()),
            _ => None,
        };
        let retriable = matches!(self, Self::BodyOverdue { .. });
        Problem {
            type_: problem_type(&code),
            title: self.title().to_owned(),
            status: u32::from(self.status().as_u16()),
            detail: self.detail(),
            instance: Some(request.uri.path().to_owned()),
            code,
            engine: None,
            retriable,
            retry_after_ms: None,
            policy_label: None,
            limit_name,
            limit_max: None,
            limit_left: None,
            limit_window_s: None,
            task_id: None,
            correlation_id,
            errors: match self {
                Self::Invalid { faults } => Some(faults),
                _ => None,
            },
        }
    }
}

fn place(pointer: &str) -> &str {
    match pointer {
        "" => "the body",
        pointer => pointer,
    }
}
