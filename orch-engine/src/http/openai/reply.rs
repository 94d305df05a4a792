//! What the replies of both paths have in common.

use std::hash::{BuildHasher, RandomState};

use serde_json::{Value, json};

use crate::generation::End;
use crate::http::App;
use crate::http::reply::{ApiError, Asked, Timings};
use crate::http::request::Fields;
use crate::slot::Outcome;

/// What is the same in every chunk of a reply.
#[derive(Clone)]
pub(super) struct Envelope {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    fingerprint: String,
}

impl Envelope {
    /// An envelope for replies of this kind, with an id that begins with `prefix`.
    pub(super) fn new(app: &App, asked: &Asked, (prefix, object): (&str, &'static str)) -> Self {
        let random = || RandomState::new().hash_one(());
        Self {
            id: format!("{prefix}-{:016x}{:016x}", random(), random()),
            object,
            created: crate::server::seconds_since_1970(),
            model: asked.alias.clone(),
            fingerprint: app.engine_version.clone(),
        }
    }

    /// A reply, or a chunk of one, with these choices.
    pub(super) fn around(&self, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": self.object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
            "choices": choices,
        })
    }
}

/// How many tokens there were.
pub(super) fn usage(asked: &Asked, outcome: &Outcome) -> Value {
    let (prompt, completion) = (asked.prompt.len(), outcome.n_decoded);
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": { "cached_tokens": 0 },
    })
}

pub(super) fn timings(asked: &Asked, outcome: &Outcome) -> Value {
    json!(Timings::new(asked.prompt.len(), outcome))
}

pub(super) fn finish_reason(outcome: &Outcome) -> &'static str {
    match outcome.end {
        End::Eos | End::Word(_) => "stop",
        End::Limit | End::ContextFull => "length",
    }
}

/// Refuses what the engine does once, and nothing else, to be asked for otherwise.
pub(super) fn check_fixed(fields: &Fields, fixed: &[(&str, Value)]) -> Result<(), ApiError> {
    for (name, only) in fixed {
        if fields.get(name).is_some_and(|value| value != only) {
            return Err(fields.fault(name));
        }
    }
    if let Some(user) = fields.get("user")
        && !user.is_string()
    {
        return Err(fields.fault("user"));
    }
    Ok(())
}

/// Whether a stream is to tell the usage at its end.
pub(super) fn include_usage(fields: &Fields) -> Result<bool, ApiError> {
    let Some(options) = fields.get("stream_options") else {
        return Ok(false);
    };
    let asked = options.as_object().and_then(|members| {
        let known = members.keys().all(|name| name == "include_usage");
        let asked = members.get("include_usage").unwrap_or(&Value::Bool(false));
        known.then(|| asked.as_bool())?
    });
    asked.ok_or_else(|| fields.fault("stream_options"))
}
