//! The contract's words in those of a history. What the contract does not list is an oddity.

use api_client::ApiError;
use api_client::types as wire;
use test_harness_history::{
    Answer, Applied, Finish, Frame, Listed, Outcome, Place, Record, State, TaskId,
};

/// What came does not fit what the contract says.
pub(super) type Odd = String;

/// The state of a task.
pub(super) fn state(state: &wire::TaskState) -> Result<State, Odd> {
    let name = state.as_str();
    let known = State::ALL.into_iter().find(|state| state.name() == name);
    known.ok_or_else(|| format!("a task is in the unknown state {name}"))
}

/// The filter for a state.
pub(super) fn filter(state: State) -> wire::TaskStateFilter {
    match state {
        State::CancelRequested => wire::TaskStateFilter::CancelRequested,
        State::Cancelled => wire::TaskStateFilter::Cancelled,
        State::Completed => wire::TaskStateFilter::Completed,
        State::Dispatched => wire::TaskStateFilter::Dispatched,
        State::Failed => wire::TaskStateFilter::Failed,
        State::Parked => wire::TaskStateFilter::Parked,
        State::Queued => wire::TaskStateFilter::Queued,
        State::Running => wire::TaskStateFilter::Running,
        State::Waiting => wire::TaskStateFilter::Waiting,
    }
}

fn finish(reason: &wire::FinishReason) -> Result<Finish, Odd> {
    match reason {
        wire::FinishReason::Cancelled => Ok(Finish::Cancelled),
        wire::FinishReason::Length => Ok(Finish::Length),
        wire::FinishReason::Stop => Ok(Finish::Stop),
        other => Err(format!(
            "a text ends for the unknown reason {}",
            other.as_str()
        )),
    }
}

/// A task as a record.
pub(super) fn record(task: &wire::Task) -> Result<Record, Odd> {
    let error = task.error.as_ref().map(|error| error.code.to_string());
    let why = task.why.as_ref().map(|why| why.summary.clone());
    Ok(Record {
        state: state(&task.state)?,
        reason: error.or(why),
        position: task.stream_position,
        attempts: task.attempts,
        prompt: task.input.prompt_digest.clone(),
        class: task.priority.clone(),
        seed: task.seed,
    })
}

/// A result.
pub(super) fn outcome(result: &wire::TaskResult) -> Result<Outcome, Odd> {
    Ok(Outcome {
        state: state(&result.state)?,
        text: result.text.clone(),
        finish: result.finish_reason.as_ref().map(finish).transpose()?,
        code: result.error.as_ref().map(|error| error.code.to_string()),
        tokens_out: result.tokens_out,
        attempts: result.attempts,
    })
}

/// The rows of a page.
pub(super) fn rows(page: &wire::TaskPage) -> Result<Vec<Listed>, Odd> {
    let row = |task: &wire::Task| {
        Ok(Listed {
            task: TaskId(task.task_id.as_u128()),
            state: state(&task.state)?,
        })
    };
    page.tasks.iter().map(row).collect()
}

/// An event of a stream as a frame; none for one that a client of this version passes over.
pub(super) fn frame(event: &wire::TaskStreamEvent, id: Option<&str>) -> Result<Option<Frame>, Odd> {
    let place = |id: Option<&str>| -> Result<Option<Place>, Odd> {
        let read = |id: &str| id.parse().map_err(|_| format!("`{id}` is no event id"));
        id.map(read).transpose()
    };
    let needed = || place(id)?.ok_or_else(|| "an event has no id that must have one".to_owned());
    Ok(Some(match event {
        wire::TaskStreamEvent::Started(started) => Frame::Started {
            attempt: started.attempt,
            seed: started.seed,
        },
        wire::TaskStreamEvent::Token(token) => Frame::Token {
            place: needed()?,
            index: token.i,
            text: token.t.clone(),
        },
        wire::TaskStreamEvent::Metrics(metrics) => Frame::Metrics {
            attempt: metrics.attempt,
            queue_position: metrics.queue_position,
        },
        wire::TaskStreamEvent::End(end) => Frame::End {
            place: needed()?,
            finish: finish(&end.finish_reason)?,
            tokens_out: end.tokens_out,
        },
        wire::TaskStreamEvent::Error(problem) => Frame::Error {
            place: place(id)?,
            code: problem.code.to_string(),
        },
        wire::TaskStreamEvent::Unknown(_) => return Ok(None),
    }))
}

/// Why a call gave no result, as an answer.
pub(super) fn refused(error: &ApiError) -> Result<Answer, Odd> {
    match error {
        ApiError::Unreachable { .. } | ApiError::Interrupted { .. } => Ok(Answer::InDoubt),
        ApiError::Problem {
            status, problem, ..
        } => match (*status, problem.code.as_str()) {
            (500, code) => Err(format!("{code}: {}", problem.detail)),
            (404, "NOT_FOUND") => Ok(Answer::Missing),
            (status, code) => Ok(Answer::Refused {
                code: code.to_owned(),
                applied: match status {
                    400..=499 => Applied::No,
                    _ => Applied::Unknown,
                },
            }),
        },
        ApiError::Unexpected { .. }
        | ApiError::Protocol { .. }
        | ApiError::InvalidRequest { .. } => Err(error.to_string()),
    }
}
