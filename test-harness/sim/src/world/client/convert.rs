//! What clients see, in the words of the history.

use orchestrator_core::task::{FinishReason, TaskEnd, TaskRecord, TaskState};
use orchestratord::names::fault_code;
use orchestratord::stream::{Frame, StreamId};
use store::TaskText;
use test_harness_history as history;
use test_harness_history::{Finish, Outcome, Place, Record, State};

/// A task's record, as a client sees it.
pub(crate) fn record(row: &TaskRecord, position: u64) -> Record {
    Record {
        state: state(row.state),
        reason: match &row.end {
            Some(TaskEnd::Failed { fault, .. }) => Some(fault_code(*fault).to_owned()),
            _ => None,
        },
        position,
        attempts: row.attempts,
        prompt: row.spec.prompt.digest.to_string(),
        class: row.spec.priority.to_string(),
        seed: u64::from(row.spec.seed),
    }
}

/// A task's result, as a client sees it.
pub(crate) fn outcome(row: &TaskRecord, text: &TaskText) -> Outcome {
    let (finished, code) = match &row.end {
        Some(TaskEnd::Finished {
            finish, tokens_out, ..
        }) if row.state.is_final() => (Some((*finish, *tokens_out)), None),
        Some(TaskEnd::Failed { fault, .. }) => (None, Some(fault_code(*fault).to_owned())),
        _ => (None, None),
    };
    Outcome {
        state: state(row.state),
        text: finished.map(|_| text.text.clone()),
        finish: finished.map(|(reason, _)| finish(reason)),
        code,
        tokens_out: finished.map(|(_, tokens)| tokens),
        attempts: row.attempts,
    }
}

/// A frame, as a reader sees it, and the place that it names.
pub(crate) fn frame(frame: &Frame) -> (history::Frame, Option<StreamId>) {
    match frame {
        Frame::Started { seed, .. } => {
            let started = history::Frame::Started {
                attempt: 1,
                seed: u64::from(*seed),
            };
            (started, None)
        }
        Frame::Token { id, text } => {
            let token = history::Frame::Token {
                place: place(*id),
                index: id.position.saturating_sub(1),
                text: text.clone(),
            };
            (token, Some(*id))
        }
        Frame::Metrics(waiting) => {
            let metrics = history::Frame::Metrics {
                attempt: waiting.attempt,
                queue_position: waiting.queue_position,
            };
            (metrics, None)
        }
        Frame::Ended { id, end } => (ended(*id, end), Some(*id)),
        Frame::Diverged { .. } => {
            let error = history::Frame::Error {
                place: None,
                code: "STREAM_DIVERGED".to_owned(),
            };
            (error, None)
        }
    }
}

fn ended(id: StreamId, end: &TaskEnd) -> history::Frame {
    match end {
        TaskEnd::Finished {
            finish: reason,
            tokens_out,
            ..
        } => history::Frame::End {
            place: place(id),
            finish: finish(*reason),
            tokens_out: *tokens_out,
        },
        TaskEnd::Failed { fault, .. } => history::Frame::Error {
            place: Some(place(id)),
            code: fault_code(*fault).to_owned(),
        },
    }
}

/// A place in a stream.
pub(crate) fn place(id: StreamId) -> Place {
    Place {
        position: id.position,
        hash: id.hash,
    }
}

/// A state.
pub(crate) fn state(state: TaskState) -> State {
    match state {
        TaskState::Waiting(_) => State::Waiting,
        TaskState::Queued => State::Queued,
        TaskState::Dispatched => State::Dispatched,
        TaskState::Running => State::Running,
        TaskState::CancelRequested => State::CancelRequested,
        TaskState::Completed => State::Completed,
        TaskState::Failed => State::Failed,
        TaskState::Cancelled => State::Cancelled,
        TaskState::Parked => State::Parked,
    }
}

fn finish(finish: FinishReason) -> Finish {
    match finish {
        FinishReason::Cancelled => Finish::Cancelled,
        FinishReason::Length => Finish::Length,
        FinishReason::Stop => Finish::Stop,
    }
}
