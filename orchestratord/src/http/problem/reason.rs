//! What was refused, in words, with the figures.

use orchestrator_core::eta::Forecast;
use orchestrator_core::id::{ModelRef, PoolName, SessionId};
use orchestrator_core::queue::ClassName;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::session::{BudgetKind, Shortfall};
use orchestrator_core::task::Engine;
use uuid::Uuid;

use super::{keys, quotas, room};
use crate::app::Missing;
use crate::names;

/// What was refused, and what to do, with the figures.
pub(super) fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::BudgetSessionless => {
            "a budget is for a session, and the task names none; give it a session_id".to_owned()
        }
        Refusal::BudgetSpent { session, short } => budget_spent(*session, *short),
        Refusal::BulksFull { .. }
        | Refusal::QueueFull { .. }
        | Refusal::ScheduleFull { .. }
        | Refusal::SessionsUnused { .. } => room::reason(refusal),
        Refusal::ClassUnknown { class, known, .. } => no_class(*class, known),
        Refusal::ContextExceeded {
            tokens_least,
            ctx_asked,
            ctx_max,
        } => too_long(*tokens_least, *ctx_asked, *ctx_max),
        Refusal::DeadlineBeforeStart {
            deadline_ms,
            start_ms,
        } => format!(
            "it is to start in {start_ms} ms at the earliest, and its deadline passes {deadline_ms} ms from now; give it more time, or an earlier start"
        ),
        Refusal::DeadlineUnmet {
            deadline_ms,
            forecast,
            ..
        } => too_late(*deadline_ms, forecast),
        Refusal::IdempotencyMismatch { task } => format!(
            "the idempotency key stands for task {task}, which another request made; use a new key, or repeat that request unchanged"
        ),
        Refusal::KeyEnded { .. }
        | Refusal::KeyExpiryPast { .. }
        | Refusal::KeyLast { .. }
        | Refusal::KeyTaken { .. }
        | Refusal::KeyUnknown { .. } => keys::reason(refusal),
        Refusal::ModelUnknown {
            model_ref,
            engine,
            known,
        } => not_served(model_ref.as_ref(), *engine, known),
        Refusal::PoolUnavailable { detail } => {
            format!(
                "every pool that could serve this has given up restarting its engine: {detail}; mend the pool and restart the daemon"
            )
        }
        Refusal::PoolUnknown { pool, known } => {
            let known: Vec<&str> = known.iter().map(PoolName::as_str).collect();
            format!("there is no pool `{pool}`; there are: {}", known.join(", "))
        }
        Refusal::Quota(refusal) => quotas::reason(refusal),
        Refusal::SessionExhausted { session, turns_max } => {
            format!("session {session} has had its {turns_max} turns; begin another session")
        }
        Refusal::SessionUnknown { session } => {
            missing(Missing::Session(Uuid::from_u128(session.0)))
        }
        Refusal::TaskEnded { task, state } => format!(
            "task {task} is {} already; hand its input over as a new task",
            state.name()
        ),
        Refusal::TaskIdConflict { task } => {
            format!(
                "the task id {task} is taken by another request; use a new task_id, or repeat your own body unchanged"
            )
        }
        Refusal::TaskUnknown { task } => missing(Missing::Task(Uuid::from_u128(task.0))),
    }
}

fn too_long(tokens_least: u64, ctx_asked: Option<u32>, ctx_max: u32) -> String {
    match ctx_asked.filter(|asked| *asked > ctx_max) {
        Some(asked) => format!(
            "a context of {asked} tokens is asked for, and the largest that could serve this has {ctx_max}; lower ctx"
        ),
        None => format!(
            "the prompt has at least {tokens_least} tokens, and the largest context that could serve it has {ctx_max}; shorten the prompt"
        ),
    }
}

fn budget_spent(session: SessionId, short: Shortfall) -> String {
    let Shortfall {
        kind,
        limit,
        left,
        asked,
    } = short;
    let (unit, less) = match kind {
        BudgetKind::Cost => ("millionths of money", "lower max_tokens"),
        BudgetKind::Time => ("ms of slots", "wait for tasks of it to end"),
        BudgetKind::Tokens => ("tokens", "lower max_tokens"),
    };
    format!(
        "session {session} has {left} of its {limit} {unit} left, and this task may use {asked}; {less}, give the session a larger session_budget, or begin another session"
    )
}

fn not_served(
    model_ref: Option<&ModelRef>,
    engine: Option<Engine>,
    known: &[(ModelRef, Engine)],
) -> String {
    let model = model_ref.map(|name| format!("model `{name}`"));
    let engine = engine.map(|engine| format!("engine `{}`", names::engine(engine)));
    let asked: Vec<String> = model.into_iter().chain(engine).collect();
    let known: Vec<String> = known
        .iter()
        .map(|(model, engine)| format!("`{model}` on `{}`", names::engine(*engine)))
        .collect();
    format!(
        "no pool serves {}; served are: {}",
        asked.join(" on "),
        known.join(", ")
    )
}

fn no_class(class: ClassName, known: &[ClassName]) -> String {
    let known: Vec<&str> = known.iter().map(ClassName::as_str).collect();
    format!(
        "there is no class `{class}`; there are: {}",
        known.join(", ")
    )
}

fn too_late(deadline_ms: u64, forecast: &Forecast) -> String {
    format!(
        "it would start in {} ms and take {} ms, so that it ends within {deadline_ms} ms with a probability of {:.3} only; give it more time, or try again later",
        forecast.start_ms,
        forecast.service.mean_ms,
        f64::from(forecast.on_time_permille) / 1_000.0
    )
}

/// What there is not, in words.
pub(super) fn missing(missing: Missing) -> String {
    match missing {
        Missing::Bulk(id) => format!(
            "there is no bulk {id}; the newest of a tenant are remembered, and the first to have ended is forgotten first"
        ),
        Missing::Pool { name, known } => {
            format!("there is no pool `{name}`; there are: {}", known.join(", "))
        }
        Missing::Refusal(id) => format!(
            "no refusal with the id {id} is kept; they are kept for a while only, and not beyond the end of the daemon"
        ),
        Missing::Session(id) => format!(
            "there is no session {id}; it begins with the first task that names it or when it is put, and expires"
        ),
        Missing::Task(id) => format!("there is no task {id}"),
    }
}
