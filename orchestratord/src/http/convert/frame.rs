//! What readers are told, as events.

use api_server::support::ServerEvent;
use api_types as wire;
use orchestrator_core::task::{Started, TaskEnd};

use super::choice;
use crate::http::problem::{self, StreamOf};
use crate::keys::Turned;
use crate::stream::{Frame, Waiting};

/// A frame as an event of the stream of a task.
pub(in crate::http) fn event(frame: Frame, of: &StreamOf) -> ServerEvent<wire::TaskStreamEvent> {
    match frame {
        Frame::Started {
            started,
            accepted_position,
            seed,
        } => {
            let Started {
                at: _,
                replica,
                engine,
                engine_version,
                model_digest,
            } = started;
            without_id(wire::TaskStreamEvent::Started(wire::StreamStarted {
                queue_position: accepted_position,
                replica: replica.to_string(),
                engine: choice::engine(engine),
                engine_version,
                model_digest: model_digest.to_string(),
                seed: u64::from(seed),
                attempt: 1,
            }))
        }
        Frame::Token { id, text } => ServerEvent {
            id: Some(id.to_string()),
            event: wire::TaskStreamEvent::Token(wire::StreamToken {
                t: text,
                i: id.position.saturating_sub(1),
            }),
        },
        Frame::Metrics(Waiting {
            queue_depth,
            queue_position,
            predicted_start_ms,
            start_band,
            on_time_permille,
            budget_left,
            attempt,
        }) => without_id(wire::TaskStreamEvent::Metrics(wire::StreamMetrics {
            queue_depth,
            queue_position,
            predicted_start_ms,
            predicted_start_low_ms: start_band.map(|band| band.low_ms),
            predicted_start_high_ms: start_band.map(|band| band.high_ms),
            on_time_probability: on_time_permille.map(choice::probability),
            tokens_budget_remaining: budget_left.tokens,
            time_budget_remaining_ms: budget_left.time_ms,
            cost_budget_remaining_micros: budget_left.cost_micros,
            attempt,
            kv_warmth: false,
        })),
        Frame::Ended { id, end } => ServerEvent {
            id: Some(id.to_string()),
            event: ended(end, of),
        },
        Frame::Diverged { detail } => without_id(wire::TaskStreamEvent::Error(
            problem::of_divergence(detail, of),
        )),
    }
}

/// The last event of a reader whose key is in force no more.
pub(in crate::http) fn shut_out(
    turned: &Turned,
    of: &StreamOf,
) -> ServerEvent<wire::TaskStreamEvent> {
    without_id(wire::TaskStreamEvent::Error(problem::of_shut_out(
        turned, of,
    )))
}

fn ended(end: TaskEnd, of: &StreamOf) -> wire::TaskStreamEvent {
    match end {
        TaskEnd::Finished {
            finish,
            tokens_in,
            tokens_out,
            decode_ms,
        } => wire::TaskStreamEvent::End(wire::StreamEnd {
            tokens_in,
            tokens_out,
            decode_ms,
            finish_reason: choice::finish(finish),
        }),
        TaskEnd::Failed { fault, detail } => {
            wire::TaskStreamEvent::Error(problem::of_fault(fault, detail, of))
        }
    }
}

fn without_id(event: wire::TaskStreamEvent) -> ServerEvent<wire::TaskStreamEvent> {
    ServerEvent { id: None, event }
}
