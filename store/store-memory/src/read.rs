//! The readers' face.

use std::future::ready;

use orchestrator_core::id::{TaskId, TenantId};
use orchestrator_core::task::AttemptRecord;
use store::{
    CommitRow, FeedStore, ReadFuture, ReadStore, TaskBody, TaskPage, TaskQuery, TaskRow, TaskText,
};

use crate::owner::MemoryStore;
use crate::state::StoredTask;

impl ReadStore for MemoryStore {
    fn task_get(&self, tenant: TenantId, task: TaskId) -> ReadFuture<'_, Option<TaskRow>> {
        let row = self
            .state()
            .task(task)
            .filter(|kept| kept.record.tenant == tenant)
            .map(StoredTask::row);
        Box::pin(ready(Ok(row)))
    }

    fn task_list(&self, query: TaskQuery) -> ReadFuture<'_, TaskPage> {
        Box::pin(ready(Ok(self.state().list(&query))))
    }

    fn task_body(&self, task: TaskId) -> ReadFuture<'_, Option<TaskBody>> {
        let body = self
            .state()
            .task(task)
            .map(|kept| TaskBody::clone(&kept.body));
        Box::pin(ready(Ok(body)))
    }

    fn task_text(&self, task: TaskId) -> ReadFuture<'_, Option<TaskText>> {
        let text = self.state().task(task).map(StoredTask::whole_text);
        Box::pin(ready(Ok(text)))
    }

    fn attempt_list(&self, task: TaskId) -> ReadFuture<'_, Vec<AttemptRecord>> {
        let state = self.state();
        let attempts = state.task(task).map_or_else(Vec::new, |kept| {
            kept.attempts
                .iter()
                .map(|id| state.attempts[id].clone())
                .collect()
        });
        drop(state);
        Box::pin(ready(Ok(attempts)))
    }
}

impl FeedStore for MemoryStore {
    fn commit_list(&self, after: u64, limit: u32) -> ReadFuture<'_, Vec<CommitRow>> {
        let state = self.state();
        let first = state.log.partition_point(|row| row.commit_seq <= after);
        let rows = state.log[first..]
            .iter()
            .take(limit as usize)
            .cloned()
            .collect();
        drop(state);
        Box::pin(ready(Ok(rows)))
    }
}
