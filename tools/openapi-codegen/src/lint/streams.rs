//! Streaming operations can be resumed.

use super::all_operations;
use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::{Content, Source},
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    for (_, operation) in all_operations(contract) {
        let mut fault = |message: String| {
            let message = format!("`{}`: {message}", operation.id);
            faults.push(Fault::new("stream", &operation.at, message));
        };
        let streams = operation
            .replies
            .iter()
            .any(|reply| matches!(reply.content, Content::Events));
        let Some(sse) = &operation.sse else {
            if streams {
                fault("a reply of text/event-stream needs `x-sse-events`".to_owned());
            }
            continue;
        };
        if !streams {
            fault("`x-sse-events` needs a reply of text/event-stream".to_owned());
        }
        if operation.method != "get" {
            fault("a stream is read with GET".to_owned());
        }
        if sse.terminal.is_empty() {
            fault("`x-sse-terminal` must name the events after which it ends".to_owned());
        }
        let resumes = operation.params.iter().any(|param| {
            param.source == Source::Header && param.name.eq_ignore_ascii_case("last-event-id")
        });
        if !resumes {
            fault("a reader comes back with the header Last-Event-ID; declare it".to_owned());
        }
    }
}
