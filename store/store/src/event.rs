//! Facts of the commit log and how they are packed into its rows.
//!
//! Layout, version 1: one byte `1`; then per event one byte of kind and 16 bytes of task id, big-endian;
//! kind 1 (accepted) ends here, kind 2 (moved) has one more byte, the state of the table below. A kind
//! or a state is never given another meaning; what needs more gets a new kind.

use orchestrator_core::id::TaskId;
use orchestrator_core::task::{TaskState, WaitingFor};
use thiserror::Error;

/// A fact of the commit log, the one ordered feed. `(commit_seq, index)` is its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task was accepted.
    TaskAccepted(TaskId),
    /// A task moved to another state.
    TaskMoved(TaskId, TaskState),
}

/// Packed events that cannot be read: damaged, or written by a newer version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("packed events cannot be read from byte {at} on: damaged, or written by a newer version")]
pub struct EventsError {
    /// Where reading stopped.
    pub at: usize,
}

const VERSION: u8 = 1;
const ACCEPTED: u8 = 1;
const MOVED: u8 = 2;

const STATES: [(u8, TaskState); 10] = [
    (1, TaskState::Waiting(WaitingFor::Backoff)),
    (2, TaskState::Queued),
    (3, TaskState::Dispatched),
    (4, TaskState::Running),
    (5, TaskState::CancelRequested),
    (6, TaskState::Completed),
    (7, TaskState::Failed),
    (8, TaskState::Cancelled),
    (9, TaskState::Parked),
    (10, TaskState::Waiting(WaitingFor::Time)),
];

impl Event {
    /// Packs the events of one commit.
    #[must_use]
    pub fn pack(events: &[Self]) -> Vec<u8> {
        let mut packed = Vec::with_capacity(1 + events.len() * 18);
        packed.push(VERSION);
        for event in events {
            match event {
                Self::TaskAccepted(task) => {
                    packed.push(ACCEPTED);
                    packed.extend_from_slice(&task.0.to_be_bytes());
                }
                Self::TaskMoved(task, state) => {
                    packed.push(MOVED);
                    packed.extend_from_slice(&task.0.to_be_bytes());
                    packed.push(state_code(*state));
                }
            }
        }
        packed
    }

    /// Reads what [`Event::pack`] wrote.
    ///
    /// # Errors
    /// [`EventsError`] if the bytes are not whole events of a known version.
    pub fn unpack(packed: &[u8]) -> Result<Vec<Self>, EventsError> {
        let mut rest = packed
            .strip_prefix(&[VERSION])
            .ok_or(EventsError { at: 0 })?;
        let mut events = Vec::new();
        while !rest.is_empty() {
            let (event, left) = take_event(rest).ok_or(EventsError {
                at: packed.len() - rest.len(),
            })?;
            events.push(event);
            rest = left;
        }
        Ok(events)
    }
}

fn take_event(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    let task = TaskId(u128::from_be_bytes(*id));
    match *kind {
        ACCEPTED => Some((Event::TaskAccepted(task), rest)),
        MOVED => {
            let (code, rest) = rest.split_first()?;
            let (_, state) = STATES.iter().find(|(known, _)| known == code)?;
            Some((Event::TaskMoved(task, *state), rest))
        }
        _ => None,
    }
}

fn state_code(state: TaskState) -> u8 {
    match state {
        TaskState::Waiting(WaitingFor::Backoff) => 1,
        TaskState::Queued => 2,
        TaskState::Dispatched => 3,
        TaskState::Running => 4,
        TaskState::CancelRequested => 5,
        TaskState::Completed => 6,
        TaskState::Failed => 7,
        TaskState::Cancelled => 8,
        TaskState::Parked => 9,
        TaskState::Waiting(WaitingFor::Time) => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_survives_packing() {
        let task = TaskId(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
        let mut events = vec![
            Event::TaskAccepted(task),
            Event::TaskAccepted(TaskId(u128::MAX)),
        ];
        events.extend(
            STATES
                .iter()
                .map(|(_, state)| Event::TaskMoved(task, *state)),
        );
        assert_eq!(Event::unpack(&Event::pack(&events)), Ok(events));
        assert_eq!(Event::unpack(&Event::pack(&[])), Ok(Vec::new()));
    }

    #[test]
    fn the_table_of_states_agrees_with_the_codes() {
        for (code, state) in STATES {
            assert_eq!(state_code(state), code);
        }
    }

    #[test]
    fn damage_is_told_with_its_place() {
        let packed = Event::pack(&[
            Event::TaskAccepted(TaskId(1)),
            Event::TaskMoved(TaskId(1), TaskState::Queued),
        ]);
        assert_eq!(
            Event::unpack(&packed[..packed.len() - 1]),
            Err(EventsError { at: 18 })
        );
        assert_eq!(Event::unpack(&[]), Err(EventsError { at: 0 }));
        assert_eq!(Event::unpack(&[2]), Err(EventsError { at: 0 }));
        assert_eq!(Event::unpack(&[1, 99]), Err(EventsError { at: 1 }));
    }
}
