//! What to do about each problem.

use api_client::types::{Problem, ProblemCode};

/// What to do, for the person at the terminal. When to do it stands beside it, if the server says when.
pub(super) fn advice(problem: &Problem) -> &'static str {
    match &problem.code {
        ProblemCode::BodyTooLarge => "shorten the prompt",
        ProblemCode::ContextExceeded => {
            "shorten the prompt, lower --ctx, or choose a model with a larger context: `orch status` shows them"
        }
        ProblemCode::DecodeTimeout | ProblemCode::WorkerReset => {
            "run the task again; if it fails again, `orch pools` shows what ails the engine"
        }
        ProblemCode::Forbidden => {
            "`orch whoami` shows what your key is allowed to; take another, or ask an operator for one"
        }
        ProblemCode::Internal => {
            "this is a fault of the daemon: look for the correlation id in its log, and report it"
        }
        ProblemCode::InvalidParams => "correct what is listed, and repeat",
        ProblemCode::KeyConflict => "`orch key list` shows how the keys stand",
        ProblemCode::MethodNotAllowed
        | ProblemCode::NotAcceptable
        | ProblemCode::UnsupportedMediaType => {
            "client and daemon are of different versions, or something stands between them: `orch version` compares"
        }
        ProblemCode::ModelUnknown => {
            "leave out --model and --engine to take any model, or choose one that `orch status` lists"
        }
        ProblemCode::NotFound => {
            "check the id: `orch task list`, `orch refusal list` and `orch pools` show what there is; sessions, refusals and bulks are kept for a while"
        }
        ProblemCode::NotReady if problem.limit_name.is_some() => {
            "try again later, close connections that nobody uses, or have the limit raised"
        }
        ProblemCode::NotReady => {
            "see to what is missing, or try again later; `orch status` shows how it stands"
        }
        ProblemCode::PoolUnavailable => {
            "`orch pools` shows the engine's last fault; mend it and start the daemon again"
        }
        ProblemCode::AdmissionReject
        | ProblemCode::QuotaConflict
        | ProblemCode::QuotaExceeded
        | ProblemCode::QuotaUnenforceable
        | ProblemCode::QuotaUnmeetable
        | ProblemCode::TriesExceeded => of_limit(&problem.code),
        ProblemCode::RequestTimeout => {
            "try again; if it lasts, look at what stands between orch and the daemon"
        }
        ProblemCode::StoreUnavailable => {
            "try again later; if it lasts, look at the daemon's disk and log"
        }
        ProblemCode::Unauthorized => {
            "name the file of a key with --key-file, or set ORCH_API_KEY; operators make keys with `orch key create`"
        }
        ProblemCode::DeadlineUnmet
        | ProblemCode::IdempotencyMismatch
        | ProblemCode::QueueFullDropLru
        | ProblemCode::QueueFullShed
        | ProblemCode::ReplicaSetGone
        | ProblemCode::SessionExhausted
        | ProblemCode::StreamDiverged
        | ProblemCode::TaskEnded
        | ProblemCode::TaskIdConflict => of_task(&problem.code),
        ProblemCode::Unknown(_) if problem.retriable => {
            "this version of orch does not know the code; the server says that trying again later may help"
        }
        ProblemCode::Unknown(_) => {
            "this version of orch does not know the code; the server says that trying again does not help"
        }
    }
}

/// What to do about a full queue, quotas, and too many tries.
fn of_limit(code: &ProblemCode) -> &'static str {
    match code {
        ProblemCode::AdmissionReject => {
            "try again later, submit with another --priority, or have the limit raised"
        }
        ProblemCode::QuotaConflict => {
            "`orch quota get` shows how it stands; put what you want again"
        }
        ProblemCode::QuotaExceeded => {
            "try again later, cancel tasks that wait, or ask an operator for a larger quota"
        }
        ProblemCode::QuotaUnenforceable => {
            "set kv_bytes_per_token of each pool in the daemon's configuration, or leave --kv-mb-max out"
        }
        ProblemCode::TriesExceeded => {
            "wait, and see which key you send: --key-file, ORCH_API_KEY, or key_file in orch.toml"
        }
        _ => "lower --max-tokens, shorten the prompt, or ask an operator for a larger quota",
    }
}

/// What to do about one task: its id, its session, its end, or that it would not end well.
fn of_task(code: &ProblemCode) -> &'static str {
    match code {
        ProblemCode::DeadlineUnmet => {
            "give it more time with a longer --deadline, or run it again when there is less to do"
        }
        ProblemCode::IdempotencyMismatch => {
            "name another --idempotency-key, or repeat exactly what was sent under it"
        }
        ProblemCode::QueueFullDropLru => {
            "run the task again when there is less to do, or have the limit raised"
        }
        ProblemCode::QueueFullShed => {
            "run the task again when there is less to do, in a more urgent class with --priority, or have the limit raised"
        }
        ProblemCode::ReplicaSetGone => {
            "run the task again: another model or engine cannot go on with a text that was begun elsewhere"
        }
        ProblemCode::SessionExhausted => {
            "name another --session, let this one use more with `orch session put`, or end it with `orch session delete`"
        }
        ProblemCode::StreamDiverged => {
            "read the text from its beginning: `orch task stream` without --last-event-id"
        }
        ProblemCode::TaskEnded => {
            "run it again as a new task: `orch task get` shows what it asked for"
        }
        ProblemCode::TaskIdConflict => {
            "leave out --task-id, or repeat exactly what was sent under it; if the task is yours, `orch task get` shows it"
        }
        _ => "run the task again",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_full_house_asks_for_something_else_than_a_daemon_that_is_not_ready() {
        let not_ready = serde_json::json!({
            "type": "urn:orchestrator:problem:not-ready", "title": "Not ready", "status": 503, "detail": "",
            "code": "NOT_READY", "retriable": true, "correlation_id": "c",
        });
        let mut problem: Problem = serde_json::from_value(not_ready).unwrap();
        assert!(advice(&problem).contains("`orch status`"));
        problem.limit_name = Some("server.connections_max".to_owned());
        assert!(advice(&problem).contains("have the limit raised"));
    }
}
