//! What the commit log says of a batch.

use std::collections::HashMap;

use orchestrator_core::id::TaskId;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::task::{TaskRecord, TaskState};
use store::Event;

/// The state of every live task as the log tells it, so that only moves are told. Those that are queued are not kept: they
/// may be very many, and whoever is not here is one of them.
#[derive(Debug, Default)]
pub(super) struct TaskStates(HashMap<TaskId, TaskState>);

impl TaskStates {
    pub(super) fn of(tasks: &[TaskRecord]) -> Self {
        let apart = tasks.iter().filter(|task| is_kept(task.state));
        Self(apart.map(|task| (task.id, task.state)).collect())
    }

    fn get(&self, task: TaskId) -> TaskState {
        self.0.get(&task).copied().unwrap_or(TaskState::Queued)
    }

    /// Adds what a mutation means to the log.
    pub(super) fn tell(&mut self, mutation: &Mutation, events: &mut Vec<Event>) {
        let (record, before) = match mutation {
            Mutation::TaskInsert { record, .. } => {
                events.push(Event::TaskAccepted(record.id));
                // Accepted means queued, unless the next event says otherwise.
                (record, TaskState::Queued)
            }
            Mutation::TaskUpdate(record) => (record, self.get(record.id)),
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
        if before == record.state {
            return;
        }
        events.push(Event::TaskMoved(record.id, record.state));
        if is_kept(record.state) {
            self.0.insert(record.id, record.state);
        } else {
            self.0.remove(&record.id);
        }
    }
}

fn is_kept(state: TaskState) -> bool {
    state != TaskState::Queued && !state.is_final()
}
