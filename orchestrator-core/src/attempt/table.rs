//! The states of an attempt: it lives, then it has ended, once.

use crate::task::{AttemptState, FinishReason, TaskFault};

/// What can happen to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptEvent {
    /// It reached an end.
    Finished(FinishReason),
    /// It broke.
    Failed(TaskFault),
    /// It was silent for the time of its lease.
    LeaseExpired,
    /// Its replica went down.
    ReplicaLost,
    /// The owner that ordered it is gone, and so is its runner.
    OwnerLost,
    /// A cancel was not confirmed in time.
    CancelOverdue,
}

/// The table: the state after an event, or `None` where the event changes nothing.
#[must_use]
pub fn next(state: &AttemptState, event: AttemptEvent) -> Option<AttemptState> {
    match (state, event) {
        (AttemptState::Live, AttemptEvent::Finished(finish)) => {
            Some(AttemptState::Finished(finish))
        }
        (AttemptState::Live, AttemptEvent::Failed(fault)) => Some(AttemptState::Failed(fault)),
        (AttemptState::Live, AttemptEvent::LeaseExpired | AttemptEvent::OwnerLost) => {
            Some(AttemptState::Failed(TaskFault::Interrupted))
        }
        (AttemptState::Live, AttemptEvent::ReplicaLost) => {
            Some(AttemptState::Failed(TaskFault::WorkerReset))
        }
        (AttemptState::Live, AttemptEvent::CancelOverdue) => {
            Some(AttemptState::Finished(FinishReason::Cancelled))
        }
        (AttemptState::Finished(_) | AttemptState::Failed(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_pair() {
        let states = [
            AttemptState::Live,
            AttemptState::Finished(FinishReason::Stop),
            AttemptState::Failed(TaskFault::WorkerReset),
        ];
        let events = [
            AttemptEvent::Finished(FinishReason::Stop),
            AttemptEvent::Finished(FinishReason::Length),
            AttemptEvent::Finished(FinishReason::Cancelled),
            AttemptEvent::Failed(TaskFault::DecodeTimeout),
            AttemptEvent::LeaseExpired,
            AttemptEvent::ReplicaLost,
            AttemptEvent::OwnerLost,
            AttemptEvent::CancelOverdue,
        ];
        let mut table = String::new();
        for state in &states {
            for event in events {
                let to = next(state, event).map_or("(stays)".to_owned(), |to| format!("{to:?}"));
                writeln!(
                    table,
                    "{:<20} {:<22} {to}",
                    format!("{state:?}"),
                    format!("{event:?}")
                )
                .expect("writing to a string cannot fail");
            }
        }
        insta::assert_snapshot!(table);
    }
}
