//! Reads the stream of one task from its start to its end.

use std::time::Instant;

use api_client::types::{Problem, StreamEnd, StreamStarted, TaskStreamEvent};
use api_client::{ApiError, Client};
use thiserror::Error;
use uuid::Uuid;

/// What a stream told.
#[derive(Clone, Debug)]
pub struct Story {
    /// Where the task ran.
    pub started: StreamStarted,
    /// The whole text.
    pub text: String,
    /// Tokens that came.
    pub tokens: u64,
    /// When the first of them came.
    pub first_token_at: Option<Instant>,
    /// How it ended.
    pub end: StreamEnd,
}

/// Why there is no story to tell.
#[derive(Debug, Error)]
pub enum Broken {
    /// The task failed.
    #[error("the task failed: {} ({})", .0.detail, .0.code)]
    Failed(Box<Problem>),
    /// The stream ended without a word about the task's end.
    #[error("the stream ended without an end frame")]
    NoEnd,
    /// An end came, but no start before it.
    #[error("the stream ended ({}) without a started frame", .0.finish_reason)]
    NoStart(Box<StreamEnd>),
    /// The stream could not be read.
    #[error(transparent)]
    Unreadable(#[from] ApiError),
}

/// Reads the stream of a task to its end. Each piece of text is shown as it comes.
///
/// # Errors
/// If the task failed, or the stream could not be read to its end.
pub async fn watch(
    client: &Client,
    task: &Uuid,
    mut show: impl FnMut(&str),
) -> Result<Story, Broken> {
    let mut reader = client.task_stream(task, None);
    let mut started = None;
    let mut text = String::new();
    let mut tokens = 0;
    let mut first_token_at = None;
    while let Some(event) = reader.next().await {
        match event?.event {
            TaskStreamEvent::Started(frame) => started = Some(frame),
            TaskStreamEvent::Token(token) => {
                first_token_at.get_or_insert_with(Instant::now);
                tokens += 1;
                text.push_str(&token.t);
                show(&token.t);
            }
            TaskStreamEvent::Metrics(_) | TaskStreamEvent::Unknown(_) => {}
            TaskStreamEvent::End(end) => {
                let Some(started) = started else {
                    return Err(Broken::NoStart(Box::new(end)));
                };
                return Ok(Story {
                    started,
                    text,
                    tokens,
                    first_token_at,
                    end,
                });
            }
            TaskStreamEvent::Error(problem) => return Err(Broken::Failed(Box::new(problem))),
        }
    }
    Err(Broken::NoEnd)
}
