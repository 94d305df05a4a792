//! What came of a task.

use orchestrator_core::id::TaskId;
use orchestrator_core::task::{AttemptState, TaskEnd, TaskRecord};

use super::{App, Caller, Trouble};

/// What came of a task, as far as it is durable.
#[derive(Clone, Debug)]
pub struct TaskOutcome {
    /// Its record.
    pub record: TaskRecord,
    /// The whole text, once there is one that counts.
    pub text: Option<String>,
    /// Milliseconds from acceptance to the first token of the attempt that counts.
    pub first_token_ms: Option<u64>,
}

impl App {
    /// What came of a task. A record read.
    ///
    /// # Errors
    /// If there is no such task, or the store cannot be read.
    pub async fn task_result(&self, caller: &Caller, task: TaskId) -> Result<TaskOutcome, Trouble> {
        let record = self.row(caller, task).await?.record;
        if !matches!(record.end, Some(TaskEnd::Finished { .. })) || !record.state.is_final() {
            return Ok(TaskOutcome {
                record,
                text: None,
                first_token_ms: None,
            });
        }
        let text = self.reads.task_text(task).await?.unwrap_or_default().text;
        let attempts = self.reads.attempt_list(task).await?;
        let counted = attempts
            .iter()
            .rev()
            .find(|attempt| matches!(attempt.state, AttemptState::Finished(_)));
        let first_token_ms = counted.and_then(|attempt| attempt.first_token_ms);
        Ok(TaskOutcome {
            record,
            text: Some(text),
            first_token_ms,
        })
    }
}
