//! A person has looked at a parked task and lets it run again.

use std::sync::Arc;

use crate::id::{ReplyToken, TaskId};
use crate::machine::driver::Machine;
use crate::machine::step::Answer;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::task::{TaskEvent, TaskRecord};

impl Machine {
    /// Takes a parked task back into the queue. One that is on its way stays as it is, so that a repeat does no
    /// harm. A deadline that has passed meanwhile ends it at once.
    pub(super) fn task_requeue(
        &mut self,
        reply: ReplyToken,
        task: TaskId,
        cold: Option<Arc<TaskRecord>>,
    ) {
        let answer = match (self.tasks.contains_key(&task), cold) {
            (true, _) => {
                self.requeue(task);
                Answer::Requeued(task)
            }
            (false, Some(record)) => Answer::Ready(Reply::Refused(Refusal::TaskEnded {
                task,
                state: record.state,
            })),
            (false, None) => Answer::Ready(Reply::Refused(Refusal::TaskUnknown { task })),
        };
        self.step.replies.push((reply, answer));
    }

    /// Takes a task back into the queue if it is parked.
    pub(super) fn requeue(&mut self, task: TaskId) {
        if self.transit(task, TaskEvent::RequeueAsked).is_none() {
            return;
        }
        if let Some(row) = self.row_mut(task) {
            row.interruptions = 0;
            row.end = None;
        }
        let deadline = self.tasks.get(&task).and_then(|live| live.deadline());
        self.watch_deadline(task, deadline);
    }
}
