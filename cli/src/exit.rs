//! What the exit status means.

use std::process::ExitCode;

use api_client::types::{Problem, ProblemCode};

/// How the program ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: it did what was asked.
    Done,
    /// 1: the task failed, or somebody else cancelled it.
    TaskFailed,
    /// 2: the command line, the configuration file or the server's URL is not right.
    Usage,
    /// 3: the caller is not known or may not do this (401, 403).
    Auth,
    /// 4: there is no such thing (404, 410).
    NotFound,
    /// 5: it clashes with what is there (409), or a text with the one that was read before.
    Conflict,
    /// 6: the request has faults (400, 413, 415, 422).
    Validation,
    /// 7: the server cannot be reached, is not ready, is too busy (429) or failed (5xx).
    Unavailable,
    /// 8: client and server do not understand each other, or the output cannot be written.
    Internal,
    /// 130: Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::TaskFailed => 1,
            Self::Usage => 2,
            Self::Auth => 3,
            Self::NotFound => 4,
            Self::Conflict => 5,
            Self::Validation => 6,
            Self::Unavailable => 7,
            Self::Internal => 8,
            Self::Interrupted => 130,
        }
    }

    /// What a refused request means.
    pub(crate) fn of_problem(problem: &Problem) -> Self {
        match &problem.code {
            ProblemCode::AdmissionReject
            | ProblemCode::DeadlineUnmet
            | ProblemCode::DecodeTimeout
            | ProblemCode::Internal
            | ProblemCode::NotReady
            | ProblemCode::PoolUnavailable
            | ProblemCode::QueueFullDropLru
            | ProblemCode::QueueFullShed
            | ProblemCode::QuotaExceeded
            | ProblemCode::ReplicaSetGone
            | ProblemCode::RequestTimeout
            | ProblemCode::StoreUnavailable
            | ProblemCode::TriesExceeded
            | ProblemCode::WorkerReset => Self::Unavailable,
            ProblemCode::BodyTooLarge
            | ProblemCode::ContextExceeded
            | ProblemCode::IdempotencyMismatch
            | ProblemCode::InvalidParams
            | ProblemCode::ModelUnknown
            | ProblemCode::QuotaUnmeetable
            | ProblemCode::UnsupportedMediaType => Self::Validation,
            ProblemCode::MethodNotAllowed | ProblemCode::NotAcceptable => Self::Internal,
            ProblemCode::Forbidden | ProblemCode::Unauthorized => Self::Auth,
            ProblemCode::NotFound => Self::NotFound,
            ProblemCode::KeyConflict
            | ProblemCode::QuotaConflict
            | ProblemCode::QuotaUnenforceable
            | ProblemCode::SessionExhausted
            | ProblemCode::StreamDiverged
            | ProblemCode::TaskEnded
            | ProblemCode::TaskIdConflict => Self::Conflict,
            ProblemCode::Unknown(_) => {
                u16::try_from(problem.status).map_or(Self::Internal, Self::of_status)
            }
        }
    }

    /// What the problem at the end of a task's stream means.
    pub(crate) fn of_failed_task(problem: &Problem) -> Self {
        match problem.code {
            // This is about what was read, and says nothing of how the task ended.
            ProblemCode::StreamDiverged => Self::Conflict,
            _ => Self::TaskFailed,
        }
    }

    /// What a status means where no code says it better.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            400 | 413 | 415 | 422 => Self::Validation,
            401 | 403 => Self::Auth,
            404 | 410 => Self::NotFound,
            409 => Self::Conflict,
            408 | 429 | 500..=599 => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}
