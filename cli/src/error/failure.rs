//! Why a verb did not do what was asked.

use std::{io, path::PathBuf};

use api_client::{ApiError, types::Problem};
use uuid::Uuid;

use crate::exit::Exit;

/// Why a verb did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for something that cannot be.
    Usage(String),
    /// The configuration file is not right.
    Config { path: PathBuf, detail: String },
    /// The server's URL is none that the client can use.
    Url { detail: String },
    /// The model's file is not there, or cannot be read.
    NoModelFile { detail: String },
    /// The daemon's program is in none of these places.
    NoDaemonProgram { tried: Vec<String> },
    /// The daemon that was started for this run cannot serve the model.
    Model { detail: String },
    /// The daemon that was started for this run did not start, or has ended.
    OwnDaemon { detail: String },
    /// A call gave no result.
    Api(ApiError),
    /// The stream of a task was lost for good, and the task was not.
    Lost {
        task: Uuid,
        last_event_id: Option<String>,
        error: ApiError,
    },
    /// The stream of a task ended with a problem.
    Task(Box<Problem>),
    /// Ctrl-C came before the answer to a task's creation.
    Left { task: Option<Uuid> },
    /// Standard output takes no more.
    Output(io::Error),
    /// The system gives no threads, or no signals.
    Runtime(io::Error),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Config { .. } | Self::Url { .. } | Self::NoModelFile { .. } => {
                Exit::Usage
            }
            Self::NoDaemonProgram { .. } | Self::Model { .. } | Self::OwnDaemon { .. } => {
                Exit::Unavailable
            }
            Self::Api(error) | Self::Lost { error, .. } => of_call(error),
            Self::Task(problem) => Exit::of_failed_task(problem),
            Self::Left { .. } => Exit::Interrupted,
            // The reader has seen enough, as in `orch task list | head`.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) | Self::Runtime(_) => Exit::Internal,
        }
    }
}

fn of_call(error: &ApiError) -> Exit {
    match error {
        ApiError::Problem { problem, .. } => Exit::of_problem(problem),
        ApiError::Unreachable { .. } | ApiError::Interrupted { .. } => Exit::Unavailable,
        // Not the daemon's word: only what a proxy says about the caller is to be believed.
        ApiError::Unexpected { status, .. } => match Exit::of_status(*status) {
            Exit::Auth => Exit::Auth,
            _ => Exit::Unavailable,
        },
        ApiError::Protocol { .. } | ApiError::InvalidRequest { .. } => Exit::Internal,
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
