//! Refusals for want of room, which comes again by itself.

use api_types::Problem;
use orchestrator_core::bulk::BULKS_PER_TENANT_MAX;
use orchestrator_core::queue::{ClassName, FullPolicy};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::session::SESSIONS_UNUSED_MAX;

use crate::names;

/// A refusal for want of room.
struct Room {
    /// What is full.
    limit_name: String,
    /// What happens then.
    full: FullPolicy,
    /// When it may be worth trying again.
    retry_after_ms: u64,
    /// What to do, with the figures.
    reason: String,
}

/// The want of room, if the refusal is for that.
fn room(refusal: &Refusal) -> Option<Room> {
    let rejected = |limit_name: &str, retry_after_ms, reason| {
        Some(Room {
            limit_name: limit_name.to_owned(),
            full: FullPolicy::Reject,
            retry_after_ms,
            reason,
        })
    };
    match *refusal {
        Refusal::BulksFull { retry_after_ms } => rejected(
            "bulks_max",
            retry_after_ms,
            format!(
                "{BULKS_PER_TENANT_MAX} bulks run, and no more may; try again when one of them is done"
            ),
        ),
        Refusal::QueueFull {
            priority,
            capacity,
            full,
            retry_after_ms,
        } => Some(Room {
            limit_name: queue_limit(priority),
            full,
            retry_after_ms,
            reason: full_class(priority, capacity, full),
        }),
        Refusal::ScheduleFull {
            capacity,
            retry_after_ms,
        } => rejected(
            "queue.scheduled_max",
            retry_after_ms,
            format!(
                "{capacity} tasks wait for their time, and no more may; try again when one of them has begun"
            ),
        ),
        Refusal::SessionsUnused { retry_after_ms } => rejected(
            "sessions_unused_max",
            retry_after_ms,
            format!(
                "{SESSIONS_UNUSED_MAX} sessions have had no task yet, and no more may; use one of them, delete one, or try again when one has run out"
            ),
        ),
        _ => None,
    }
}

/// The problem of something that is full.
pub(super) fn of_full(refusal: &Refusal, refused: Problem) -> Problem {
    match room(refusal) {
        None => refused,
        Some(room) => Problem {
            retriable: true,
            retry_after_ms: Some(room.retry_after_ms),
            policy_label: Some(names::full_policy(room.full).to_owned()),
            limit_name: Some(room.limit_name),
            ..refused
        },
    }
}

/// What is full, in words.
pub(super) fn reason(refusal: &Refusal) -> String {
    room(refusal).map(|room| room.reason).unwrap_or_default()
}

/// The bound of a class of the queue.
pub(super) fn queue_limit(priority: ClassName) -> String {
    format!("queue.{priority}.capacity")
}

fn full_class(priority: ClassName, capacity: u32, full: FullPolicy) -> String {
    let policy = match full {
        FullPolicy::DropLru => "none of its tasks may go any more",
        FullPolicy::Reject => "its policy is to reject",
        FullPolicy::ShedLowPriority => "nothing less urgent waits that could go",
    };
    format!("class {priority} is full: its capacity is {capacity}, and {policy}; try again later")
}
