//! Problems of who asks and of keys.

use api_server::support::ProblemReply;
use api_types::{Problem, ProblemCode, ProblemFault};
use orchestrator_core::id::{KeyId, ProjectId};
use orchestrator_core::refusal::Refusal;
use uuid::Uuid;

use super::problem;
use crate::keys::Turned;

/// The reply to a request with a key in its URL. The URL is not repeated.
pub(in crate::http) fn key_in_url(correlation_id: &str) -> ProblemReply {
    let detail = "there is a key in the URL of this request, and URLs are kept by many a program on their way: revoke \
                  or rotate that key now, and send keys in the header Authorization only";
    ProblemReply::new(problem(
        400,
        ProblemCode::InvalidParams,
        detail.to_owned(),
        correlation_id,
    ))
}

/// The problem of whoever was not let in.
pub(super) fn of_turned(turned: &Turned, correlation_id: &str) -> Problem {
    let answer =
        |status, code, detail: &str| problem(status, code, detail.to_owned(), correlation_id);
    let unknown = |detail: &str| answer(401, ProblemCode::Unauthorized, detail);
    match turned {
        Turned::NoKey => unknown(
            "this needs a key; send one as `Authorization: Bearer <key>`, and ask an operator for one if you have none",
        ),
        Turned::Malformed => unknown(
            "the header Authorization holds no key; write `Bearer `, then the whole key, `orch_<id>_<secret>`",
        ),
        Turned::Unknown => unknown(
            "no such key is known here; see whether it is whole and meant for this server, and ask an operator for another",
        ),
        Turned::Expired { key, at } => unknown(&format!(
            "key {key} expired at {} (milliseconds since 1970); ask an operator for another",
            at.0
        )),
        Turned::Revoked { key, replaced_by } => unknown(&match replaced_by {
            Some(successor) => format!("key {key} was replaced by key {successor}; use that one"),
            None => format!("key {key} was revoked; ask an operator for another"),
        }),
        Turned::Scope { key, needed, has } => answer(
            403,
            ProblemCode::Forbidden,
            &format!(
                "this needs a key with the scope `{}`, and key {key} has: {has}; use another, or ask an operator for one",
                needed.name()
            ),
        ),
        Turned::Throttled { retry_after_ms } => Problem {
            retriable: true,
            retry_after_ms: Some(*retry_after_ms),
            limit_name: Some("keys.failed_tries".to_owned()),
            ..answer(
                429,
                ProblemCode::TriesExceeded,
                "too many keys from this address were refused; a right one is let in at any time",
            )
        },
    }
}

/// The problem of a daemon that has never had a key.
pub(super) fn of_keys_off(correlation_id: &str) -> Problem {
    let detail = "this daemon has no keys and lets in everybody on its machine; stop it and run `orchestratord init`, \
                  which makes the first one";
    problem(
        409,
        ProblemCode::KeyConflict,
        detail.to_owned(),
        correlation_id,
    )
}

/// The problem of a key that works in another project.
pub(super) fn of_project(key: KeyId, project: ProjectId, correlation_id: &str) -> Problem {
    let project = Uuid::from_u128(project.0);
    let detail = format!(
        "key {key} works in project {project} only; leave project_id out, or use another key"
    );
    Problem {
        errors: Some(vec![ProblemFault {
            pointer: "/project_id".to_owned(),
            detail: detail.clone(),
            hint: None,
        }]),
        ..problem(403, ProblemCode::Forbidden, detail, correlation_id)
    }
}

/// The problem of something that was refused about a key.
pub(super) fn of_refusal(refusal: &Refusal, reason: String, correlation_id: &str) -> Problem {
    let (status, code) = match refusal {
        Refusal::KeyExpiryPast { .. } => (400, ProblemCode::InvalidParams),
        Refusal::KeyUnknown { .. } => (404, ProblemCode::NotFound),
        _ => (409, ProblemCode::KeyConflict),
    };
    Problem {
        retriable: matches!(refusal, Refusal::KeyTaken { .. }),
        ..problem(status, code, reason, correlation_id)
    }
}

/// What was refused about a key, and what to do.
pub(super) fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::KeyEnded { key } => {
            format!("key {key} has ended or was replaced before; make another key instead")
        }
        Refusal::KeyExpiryPast { at, now } => format!(
            "a key that expires at {} would never be let in, as it is {} now; give a later time in milliseconds since 1970",
            at.0, now.0
        ),
        Refusal::KeyLast { key } => format!(
            "key {key} is the last one in force that may manage keys; make another with the scope operator first"
        ),
        Refusal::KeyTaken { key } => format!("the id {key} that was drawn is taken; ask again"),
        Refusal::KeyUnknown { key } => format!("there is no key {key}"),
        Refusal::BudgetSessionless
        | Refusal::BudgetSpent { .. }
        | Refusal::BulksFull { .. }
        | Refusal::ClassUnknown { .. }
        | Refusal::ContextExceeded { .. }
        | Refusal::DeadlineBeforeStart { .. }
        | Refusal::DeadlineUnmet { .. }
        | Refusal::IdempotencyMismatch { .. }
        | Refusal::ModelUnknown { .. }
        | Refusal::PoolUnavailable { .. }
        | Refusal::PoolUnknown { .. }
        | Refusal::Quota(_)
        | Refusal::QueueFull { .. }
        | Refusal::ScheduleFull { .. }
        | Refusal::SessionExhausted { .. }
        | Refusal::SessionUnknown { .. }
        | Refusal::SessionsUnused { .. }
        | Refusal::TaskEnded { .. }
        | Refusal::TaskIdConflict { .. }
        | Refusal::TaskUnknown { .. } => String::new(),
    }
}
