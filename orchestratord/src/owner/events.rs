//! What the commit log says of a batch.

use std::collections::HashMap;

use orchestrator_core::id::TaskId;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::task::{TaskRecord, TaskState};
use store::Event;

/// The state of every live task as the log tells it, so that only moves are told.
#[derive(Debug, Default)]
pub(super) struct TaskStates(HashMap<TaskId, TaskState>);

impl TaskStates {
    pub(super) fn of(tasks: &[TaskRecord]) -> Self {
        Self(tasks.iter().map(|task| (task.id, task.state)).collect())
    }

    /// Adds what a mutation means to the log.
    pub(super) fn tell(&mut self, mutation: &Mutation, events: &mut Vec<Event>) {
        let (record, before) = match mutation {
            Mutation::TaskInsert { record, .. } => {
                events.push(Event::TaskAccepted(record.id));
                // Accepted means queued, unless the next event says otherwise.
                (record, Some(TaskState::Queued))
            }
            Mutation::TaskUpdate(record) => (record, self.0.get(&record.id).copied()),
            Mutation::AttemptInsert(_)
            | Mutation::AttemptUpdate(_)
            | Mutation::BulkForget(_)
            | Mutation::BulkPut(_)
            | Mutation::ChunkAppend { .. }
            | Mutation::IdempotencyBind(_)
            | Mutation::IdempotencyForget { .. }
            | Mutation::KeyPut(_)
            | Mutation::PausePut(_)
            | Mutation::QuotaLevelsPut(_)
            | Mutation::QuotaPut(_)
            | Mutation::SessionDelete(_)
            | Mutation::SessionPut(_)
            | Mutation::TextPut { .. } => return,
        };
        if before != Some(record.state) {
            events.push(Event::TaskMoved(record.id, record.state));
        }
        if record.state.is_final() {
            self.0.remove(&record.id);
        } else {
            self.0.insert(record.id, record.state);
        }
    }
}
