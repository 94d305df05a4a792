//! Which problem answers which trouble. Status codes are decided here and nowhere else.

use api_server::support::{ProblemReply, problem_type};
use api_types::{self as wire, Problem, ProblemCode, ProblemFault};
use orchestrator_core::id::TaskId;
use orchestrator_core::queue::{ClassName, FullPolicy};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::session::BudgetKind;
use orchestrator_core::task::TaskFault;
use uuid::Uuid;

mod keys;
mod pointer;
mod quotas;
mod reason;
mod room;
mod title;

use self::pointer::pointer;
use self::title::title;
use crate::app::Trouble;
use crate::keys::Turned;
use crate::names;

fn problem(status: u32, code: ProblemCode, detail: String, correlation_id: &str) -> Problem {
    Problem {
        type_: problem_type(&code),
        title: title(&code).to_owned(),
        status,
        detail,
        instance: None,
        code,
        engine: None,
        retriable: false,
        retry_after_ms: None,
        policy_label: None,
        limit_name: None,
        limit_max: None,
        limit_left: None,
        limit_window_s: None,
        task_id: None,
        correlation_id: correlation_id.to_owned(),
        errors: None,
    }
}

/// The task that a stream is about, for the problems in it.
#[derive(Clone, Debug)]
pub(super) struct StreamOf {
    /// Its id.
    pub(super) task_id: Uuid,
    /// Class it waits in.
    pub(super) priority: ClassName,
    /// Kind of engine that ran it, or was asked for.
    pub(super) engine: Option<wire::Engine>,
    /// Id of the request that reads it.
    pub(super) correlation_id: String,
}

/// The problem by which a failed task ends its streams. Its status is the one that the same problem has, or
/// would have, as a reply.
pub(super) fn of_fault(fault: TaskFault, detail: String, of: &StreamOf) -> Problem {
    let (status, code) = match fault {
        TaskFault::ContextExceeded => (422, ProblemCode::ContextExceeded),
        TaskFault::DeadlineUnmet => (503, ProblemCode::DeadlineUnmet),
        TaskFault::DecodeTimeout => (500, ProblemCode::DecodeTimeout),
        TaskFault::EngineRefused => (400, ProblemCode::InvalidParams),
        TaskFault::Interrupted | TaskFault::WorkerReset => (500, ProblemCode::WorkerReset),
        TaskFault::PoolUnavailable => (503, ProblemCode::PoolUnavailable),
        TaskFault::QueueFullDropLru => (429, ProblemCode::QueueFullDropLru),
        TaskFault::QueueFullShed => (429, ProblemCode::QueueFullShed),
        TaskFault::ReplicaSetGone => (503, ProblemCode::ReplicaSetGone),
        TaskFault::StreamDiverged => (409, ProblemCode::StreamDiverged),
    };
    let policy = match fault {
        TaskFault::QueueFullDropLru => Some(FullPolicy::DropLru),
        TaskFault::QueueFullShed => Some(FullPolicy::ShedLowPriority),
        _ => None,
    };
    Problem {
        engine: of.engine.clone(),
        retriable: names::fault_retriable(fault),
        policy_label: policy.map(|policy| names::full_policy(policy).to_owned()),
        limit_name: match fault {
            TaskFault::DeadlineUnmet => Some(DEADLINE_LIMIT.to_owned()),
            _ => policy.map(|_| room::queue_limit(of.priority)),
        },
        task_id: Some(of.task_id),
        ..problem(status, code, detail, &of.correlation_id)
    }
}

/// The problem of a reader whose text is not ours: asking again with the same place would end the same way.
pub(super) fn of_divergence(detail: String, of: &StreamOf) -> Problem {
    Problem {
        engine: of.engine.clone(),
        task_id: Some(of.task_id),
        ..problem(409, ProblemCode::StreamDiverged, detail, &of.correlation_id)
    }
}

/// The problem of a reader whose key has ended meanwhile. Its task goes on.
pub(super) fn of_shut_out(turned: &Turned, of: &StreamOf) -> Problem {
    let problem = keys::of_turned(turned, &of.correlation_id);
    Problem {
        detail: format!(
            "{}; the task goes on, and can be read on with another key from the last event's id",
            problem.detail
        ),
        engine: of.engine.clone(),
        task_id: Some(of.task_id),
        ..problem
    }
}

/// The reply to whoever comes when as many connections are open as may be. `path` is that of the request.
pub(super) fn of_full_house(
    connections_max: usize,
    path: &str,
    correlation_id: &str,
) -> ProblemReply {
    let detail = format!(
        "{connections_max} connections are open, and there may be no more; try again later, close idle ones, \
         or have server.connections_max raised"
    );
    ProblemReply::new(Problem {
        instance: Some(path.to_owned()),
        retriable: true,
        retry_after_ms: Some(1_000),
        limit_name: Some("server.connections_max".to_owned()),
        ..problem(503, ProblemCode::NotReady, detail, correlation_id)
    })
}

/// The reply where a handler panicked; it is not known what was done. `path` is that of the request.
pub(super) fn internal(path: &str, correlation_id: &str) -> ProblemReply {
    let detail = "the daemon has met a fault of its own, and may have carried out the request or not; its log tells of it under the correlation id";
    ProblemReply::new(Problem {
        instance: Some(path.to_owned()),
        ..problem(
            500,
            ProblemCode::Internal,
            detail.to_owned(),
            correlation_id,
        )
    })
}

/// The reply to a trouble. `path` is that of the request.
pub(super) fn of(trouble: Trouble, path: &str, correlation_id: &str) -> ProblemReply {
    let answer = |status, code, detail| problem(status, code, detail, correlation_id);
    let found = match trouble {
        Trouble::Invalid { pointer, detail } => invalid(pointer, detail, correlation_id),
        Trouble::KeysOff => keys::of_keys_off(correlation_id),
        Trouble::NoChance(detail) => answer(500, ProblemCode::Internal, detail),
        Trouble::ProjectForbidden { key, project } => {
            keys::of_project(key, project, correlation_id)
        }
        Trouble::Refused(refusal) => of_refusal(refusal, correlation_id),
        Trouble::TaskRefused(refused) => of_refusal(refused.refusal, correlation_id),
        Trouble::Turned(turned) => keys::of_turned(&turned, correlation_id),
        Trouble::Missing(missing) => answer(404, ProblemCode::NotFound, reason::missing(missing)),
        Trouble::Cursor => of_cursor(correlation_id),
        Trouble::Busy { retry_after_ms } => Problem {
            retriable: true,
            retry_after_ms: Some(retry_after_ms),
            limit_name: Some("owner.command_lane".to_owned()),
            ..answer(
                503,
                ProblemCode::StoreUnavailable,
                "more requests wait than the store can commit; nothing was done".to_owned(),
            )
        },
        Trouble::Unresolved { task, safe } => unresolved(task, safe, correlation_id),
        Trouble::Store(detail) => Problem {
            retriable: true,
            retry_after_ms: Some(1_000),
            ..answer(503, ProblemCode::StoreUnavailable, detail)
        },
        Trouble::NotReady(missing) => Problem {
            retriable: true,
            retry_after_ms: Some(1_000),
            errors: Some(
                missing
                    .into_iter()
                    .map(|it| ProblemFault {
                        pointer: it.what,
                        detail: it.detail,
                        hint: Some(it.hint),
                    })
                    .collect(),
            ),
            ..answer(
                503,
                ProblemCode::NotReady,
                "something that the daemon needs is missing; see errors".to_owned(),
            )
        },
    };
    ProblemReply::new(Problem {
        instance: Some(path.to_owned()),
        ..found
    })
}

/// The problem of a field that is at odds with something else.
fn invalid(pointer: &str, detail: String, correlation_id: &str) -> Problem {
    Problem {
        errors: Some(vec![ProblemFault {
            pointer: pointer.to_owned(),
            detail: detail.clone(),
            hint: None,
        }]),
        ..problem(400, ProblemCode::InvalidParams, detail, correlation_id)
    }
}

fn of_cursor(correlation_id: &str) -> Problem {
    Problem {
        errors: Some(vec![ProblemFault {
            pointer: "query/cursor".to_owned(),
            detail: "this is not a cursor of this list".to_owned(),
            hint: Some("give the next_cursor of the page before, unchanged".to_owned()),
        }]),
        ..problem(
            400,
            ProblemCode::InvalidParams,
            "query/cursor: this is not a cursor of this list".to_owned(),
            correlation_id,
        )
    }
}

/// It is not known whether the request was carried out.
fn unresolved(task: Option<Uuid>, safe: bool, correlation_id: &str) -> Problem {
    let detail = if safe {
        "the outcome is not known, or known to be nothing; repeating the same request is safe"
    } else {
        "the outcome is not known; look for the task before you repeat the request, or send a task_id or an Idempotency-Key to make repeats safe"
    };
    Problem {
        retriable: safe,
        retry_after_ms: Some(1_000),
        task_id: task,
        ..problem(
            503,
            ProblemCode::StoreUnavailable,
            detail.to_owned(),
            correlation_id,
        )
    }
}

/// The problem of a refusal.
pub(super) fn of_refusal(refusal: Refusal, correlation_id: &str) -> Problem {
    let errors = pointer(&refusal).map(|pointer| {
        let detail = reason::reason(&refusal);
        vec![ProblemFault {
            pointer: pointer.to_owned(),
            detail,
            hint: None,
        }]
    });
    Problem {
        errors,
        ..of_refusal_whole(refusal, correlation_id)
    }
}

fn of_refusal_whole(refusal: Refusal, correlation_id: &str) -> Problem {
    let answer = |status, code| problem(status, code, reason::reason(&refusal), correlation_id);
    let of_task = |task: TaskId| Some(Uuid::from_u128(task.0));
    match &refusal {
        Refusal::BudgetSessionless
        | Refusal::ClassUnknown { .. }
        | Refusal::DeadlineBeforeStart { .. } => answer(400, ProblemCode::InvalidParams),
        Refusal::BudgetSpent { short, .. } => Problem {
            limit_name: Some(budget_limit(short.kind).to_owned()),
            ..answer(409, ProblemCode::SessionExhausted)
        },
        Refusal::BulksFull { .. }
        | Refusal::QueueFull { .. }
        | Refusal::ScheduleFull { .. }
        | Refusal::SessionsUnused { .. } => {
            room::of_full(&refusal, answer(429, ProblemCode::AdmissionReject))
        }
        Refusal::ContextExceeded { .. } => answer(422, ProblemCode::ContextExceeded),
        Refusal::DeadlineUnmet { retry_after_ms, .. } => Problem {
            retriable: true,
            retry_after_ms: Some(*retry_after_ms),
            limit_name: Some(DEADLINE_LIMIT.to_owned()),
            ..answer(503, ProblemCode::DeadlineUnmet)
        },
        Refusal::IdempotencyMismatch { task } => Problem {
            task_id: of_task(*task),
            ..answer(422, ProblemCode::IdempotencyMismatch)
        },
        Refusal::KeyEnded { .. }
        | Refusal::KeyExpiryPast { .. }
        | Refusal::KeyLast { .. }
        | Refusal::KeyTaken { .. }
        | Refusal::KeyUnknown { .. } => {
            keys::of_refusal(&refusal, reason::reason(&refusal), correlation_id)
        }
        Refusal::ModelUnknown { .. } => answer(422, ProblemCode::ModelUnknown),
        Refusal::PoolUnavailable { .. } => answer(503, ProblemCode::PoolUnavailable),
        Refusal::PoolUnknown { .. }
        | Refusal::SessionUnknown { .. }
        | Refusal::TaskUnknown { .. } => answer(404, ProblemCode::NotFound),
        Refusal::Quota(refusal) => quotas::of_refusal(refusal, correlation_id),
        Refusal::SessionExhausted { .. } => Problem {
            limit_name: Some("session.turns_max".to_owned()),
            ..answer(409, ProblemCode::SessionExhausted)
        },
        Refusal::TaskEnded { task, .. } => Problem {
            task_id: of_task(*task),
            ..answer(409, ProblemCode::TaskEnded)
        },
        Refusal::TaskIdConflict { task } => Problem {
            task_id: of_task(*task),
            ..answer(409, ProblemCode::TaskIdConflict)
        },
    }
}

/// The member of a session's budget that a refusal names.
fn budget_limit(kind: BudgetKind) -> &'static str {
    match kind {
        BudgetKind::Cost => "session_budget.cost_micros",
        BudgetKind::Time => "session_budget.time_ms",
        BudgetKind::Tokens => "session_budget.tokens",
    }
}

/// The setting by which deadlines are judged.
const DEADLINE_LIMIT: &str = "queue.deadline_confidence_permille";

pub(super) use keys::key_in_url;

#[cfg(test)]
mod tests;
