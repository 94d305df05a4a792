//! The states of a task and what moves it between them.
//!
//! ```text
//!                      Dispatched           Running
//!   (accepted) ► queued ──────► dispatched ───────► running ─┐
//!      ▲  ▲       │ │ Doomed        │  │ CancelAsked  │ │    │ AttemptCompleted
//!      │  │       │ └► failed ◄─────┼──┼──────────────┤ │    └► completed
//!      │  │       │    AttemptFailed│  ▼              │ ▼          ▲
//!      │  │       │                 │ cancel_requested ─┼──────────┘ (it was done already)
//!      │  │       │ CancelAsked     │         │ any end │
//!      │  │       └► cancelled ◄────┼─────────┘         │
//!      │  └ AttemptRequeued ────────┤ AttemptParked     │
//!      │                            ├► parked ◄─────────┤
//!      └ BackoffOver ─ waiting ◄────┴───────────────────┘ AttemptRetried
//! ```
//!
//! A task that is accepted for later begins as `waiting`, and `TimeCame` takes it to `queued`.
//!
//! `RequeueAsked` takes a parked task back to `queued`. `Expired` takes a task that waits or is queued to `failed`, as `Doomed` does a queued one.
//!
//! A cancel ends a task at once while it waits, is queued or parked; once an attempt may produce tokens
//! it waits for the end of that attempt. `completed`, `failed` and `cancelled` are final.

use crate::task::{TaskState, WaitingFor};

/// What can happen to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskEvent {
    /// Its attempt ended because of a cancel, or the cancel was not confirmed in time.
    AttemptCancelled,
    /// Its attempt reached an end of the text.
    AttemptCompleted,
    /// Its attempt broke, and no other will be made.
    AttemptFailed,
    /// Its attempt was lost once too often: a person must look.
    AttemptParked,
    /// Its attempt was lost, and another may begin at once.
    AttemptRequeued,
    /// Its attempt broke, and another may begin after a pause.
    AttemptRetried,
    /// The pause is over.
    BackoffOver,
    /// Someone cancels it, or its last reader left for good.
    CancelAsked,
    /// An attempt was ordered.
    Dispatched,
    /// It can never run: dropped from a full queue, or nothing is left that could serve it.
    Doomed,
    /// Its deadline passed.
    Expired,
    /// Someone lets it run again.
    RequeueAsked,
    /// Its attempt shows tokens.
    Running,
    /// The time that it was accepted for is here.
    TimeCame,
}

impl TaskEvent {
    /// Every event, for tests and tables.
    pub const ALL: [Self; 14] = [
        Self::AttemptCancelled,
        Self::AttemptCompleted,
        Self::AttemptFailed,
        Self::AttemptParked,
        Self::AttemptRequeued,
        Self::AttemptRetried,
        Self::BackoffOver,
        Self::CancelAsked,
        Self::Dispatched,
        Self::Doomed,
        Self::Expired,
        Self::RequeueAsked,
        Self::Running,
        Self::TimeCame,
    ];
}

/// What an event does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// The task is in this state from now on.
    To(TaskState),
    /// Nothing changes; the event may come again.
    Stay,
    /// It cannot happen here: whoever caused it is mistaken, and nothing changes.
    Illegal,
}

/// The table.
#[must_use]
pub fn next(state: TaskState, event: TaskEvent) -> Move {
    use TaskEvent as E;
    use TaskState as S;
    let backoff = S::Waiting(WaitingFor::Backoff);
    match (state, event) {
        (S::Waiting(WaitingFor::Backoff), E::BackoffOver)
        | (S::Waiting(WaitingFor::Time), E::TimeCame) => Move::To(S::Queued),
        (S::Parked, E::RequeueAsked) => Move::To(S::Queued),
        (
            S::Waiting(_) | S::Queued | S::Dispatched | S::Running | S::CancelRequested,
            E::RequeueAsked,
        ) => Move::Stay,
        (S::Waiting(_) | S::Queued | S::Parked, E::CancelAsked) => Move::To(S::Cancelled),

        (S::Queued, E::Dispatched) => Move::To(S::Dispatched),
        (S::Queued, E::Doomed) => Move::To(S::Failed),
        (S::Waiting(_) | S::Queued, E::Expired) => Move::To(S::Failed),

        (S::Dispatched, E::Running) => Move::To(S::Running),
        (S::Running | S::CancelRequested, E::Running) => Move::Stay,

        (S::Dispatched | S::Running, E::CancelAsked) => Move::To(S::CancelRequested),
        (S::CancelRequested, E::CancelAsked) => Move::Stay,

        (S::Dispatched | S::Running | S::CancelRequested, E::AttemptCompleted) => {
            Move::To(S::Completed)
        }
        (S::Dispatched | S::Running, E::AttemptFailed) => Move::To(S::Failed),
        (S::Dispatched | S::Running, E::AttemptParked) => Move::To(S::Parked),
        (S::Dispatched | S::Running, E::AttemptRequeued) => Move::To(S::Queued),
        (S::Dispatched | S::Running, E::AttemptRetried) => Move::To(backoff),
        (
            S::CancelRequested,
            E::AttemptCancelled
            | E::AttemptFailed
            | E::AttemptParked
            | E::AttemptRequeued
            | E::AttemptRetried,
        ) => Move::To(S::Cancelled),

        (S::Completed | S::Failed | S::Cancelled, E::CancelAsked) => Move::Stay,
        _ => Move::Illegal,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const STATES: [TaskState; 10] = [
        TaskState::Waiting(WaitingFor::Backoff),
        TaskState::Waiting(WaitingFor::Time),
        TaskState::Queued,
        TaskState::Dispatched,
        TaskState::Running,
        TaskState::CancelRequested,
        TaskState::Completed,
        TaskState::Failed,
        TaskState::Cancelled,
        TaskState::Parked,
    ];

    #[test]
    fn every_pair() {
        let mut table = String::new();
        for state in STATES {
            for event in TaskEvent::ALL {
                let result = match next(state, event) {
                    Move::To(to) => format!("{to:?}"),
                    Move::Stay => "(stays)".to_owned(),
                    Move::Illegal => "-".to_owned(),
                };
                writeln!(
                    table,
                    "{:<18} {:<17} {result}",
                    format!("{state:?}"),
                    format!("{event:?}")
                )
                .expect("writing to a string cannot fail");
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn nothing_leaves_a_final_state() {
        for state in STATES.into_iter().filter(|state| state.is_final()) {
            for event in TaskEvent::ALL {
                assert!(
                    !matches!(next(state, event), Move::To(_)),
                    "{state:?} x {event:?}"
                );
            }
        }
    }
}
