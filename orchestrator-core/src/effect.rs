//! Everything the machine can do to the world. An effect is released only after the mutations of its step
//! are durable. Each is idempotent by attempt or task, because recovery emits again what is not known done.

use crate::id::{AttemptId, ReplicaName, TaskId};
use crate::task::{Started, TaskEnd, TaskRecord, TaskSpec};

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Stop an attempt now: freeze its stream, close the engine's side, report the end with what was released.
    /// Also sent for an attempt that the machine has given up by itself (its lease ran out, its replica went
    /// down, a cancel was not confirmed in time), so that no runner goes on for nothing; what such an attempt
    /// still reports changes nothing.
    AttemptCancel {
        /// Which.
        attempt: AttemptId,
        /// Of which task.
        task: TaskId,
    },
    /// Run an attempt.
    AttemptStart(Box<AttemptOrder>),
    /// Tell the readers that the task has ended: one terminal frame.
    TaskEnded {
        /// Which.
        task: TaskId,
        /// How.
        end: TaskEnd,
        /// Final position of its text.
        position: u64,
    },
    /// Tell the readers that the task was dispatched for the first time.
    TaskStarted {
        /// Which.
        task: TaskId,
        /// What they are told.
        started: Started,
        /// Tasks that were ahead at acceptance.
        accepted_position: u64,
        /// Seed it runs with.
        seed: u32,
    },
}

impl Effect {
    /// What readers are told of a task that has ended; `None` for any other.
    #[must_use]
    pub fn task_ended(record: &TaskRecord) -> Option<Self> {
        let end = record.end.clone().filter(|_| record.state.is_final())?;
        Some(Self::TaskEnded {
            task: record.id,
            end,
            position: record.position,
        })
    }

    /// What readers are told of a task that was dispatched; `None` for any other.
    #[must_use]
    pub fn task_started(record: &TaskRecord) -> Option<Self> {
        Some(Self::TaskStarted {
            task: record.id,
            started: record.started.as_deref()?.clone(),
            accepted_position: record.accepted_position,
            seed: record.spec.seed,
        })
    }
}

/// What a runner needs to know. The text of the prompt it reads from the store, by task.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptOrder {
    /// Id of the attempt: the key that makes starting it twice harmless.
    pub attempt: AttemptId,
    /// The task it tries.
    pub task: TaskId,
    /// Its number, from 1.
    pub number: u32,
    /// Where it runs.
    pub replica: ReplicaName,
    /// True if the engine process held the model of another replica until now, and has to change it.
    pub changes_model: bool,
    /// What was asked for.
    pub spec: TaskSpec,
    /// Durable tokens that the text has already: a replay must reproduce them and reports only what follows.
    pub position: u64,
    /// When the task was accepted.
    pub accepted_at: crate::time::WallMs,
}
