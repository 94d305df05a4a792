//! What was refused, in words, with the figures.

use orchestrator_core::bulk::BULKS_PER_TENANT_MAX;
use orchestrator_core::eta::Forecast;
use orchestrator_core::id::{ModelRef, PoolName, SessionId};
use orchestrator_core::queue::{ClassName, FullPolicy};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::session::{BudgetKind, Shortfall};
use orchestrator_core::task::Engine;

use super::{keys, quotas};
use crate::names;

/// What was refused, and what to do, with the figures.
pub(super) fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::BudgetSessionless => {
            "a budget is for a session, and the task names none; give it a session_id".to_owned()
        }
        Refusal::BudgetSpent { session, short } => budget_spent(*session, *short),
        Refusal::BulksFull { .. } => format!(
            "{BULKS_PER_TENANT_MAX} bulks run, and no more may; try again when one of them is done"
        ),
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
        Refusal::PoolUnknown { pool, known } => no_pool(pool, known),
        Refusal::Quota(refusal) => quotas::reason(refusal),
        Refusal::QueueFull {
            priority,
            capacity,
            full,
            ..
        } => full_class(*priority, *capacity, *full),
        Refusal::ScheduleFull { capacity, .. } => format!(
            "{capacity} tasks wait for their time, and no more may; try again when one of them has begun"
        ),
        Refusal::SessionExhausted { session, turns_max } => {
            format!("session {session} has had its {turns_max} turns; begin another session")
        }
        Refusal::SessionUnknown { session } => format!("there is no session {session}"),
        Refusal::TaskEnded { task, state } => format!(
            "task {task} is {} already; hand its input over as a new task",
            state.name()
        ),
        Refusal::TaskIdConflict { task } => {
            format!(
                "the task id {task} is taken by another request; use a new task_id, or repeat your own body unchanged"
            )
        }
        Refusal::TaskUnknown { task } => format!("there is no task {task}"),
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

fn no_pool(pool: &PoolName, known: &[PoolName]) -> String {
    let known: Vec<&str> = known.iter().map(PoolName::as_str).collect();
    format!("there is no pool `{pool}`; there are: {}", known.join(", "))
}

fn too_late(deadline_ms: u64, forecast: &Forecast) -> String {
    format!(
        "it would start in {} ms and take {} ms, so that it ends within {deadline_ms} ms with a probability of {:.3} only; give it more time, or try again later",
        forecast.start_ms,
        forecast.service.mean_ms,
        f64::from(forecast.on_time_permille) / 1_000.0
    )
}

fn full_class(priority: ClassName, capacity: u32, full: FullPolicy) -> String {
    let policy = match full {
        FullPolicy::DropLru => "none of its tasks may go any more",
        FullPolicy::Reject => "its policy is to reject",
        FullPolicy::ShedLowPriority => "nothing less urgent waits that could go",
    };
    format!("class {priority} is full: its capacity is {capacity}, and {policy}; try again later")
}
