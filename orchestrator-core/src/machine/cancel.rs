//! Tasks are ended on demand.
//!
//! A task that no attempt works on ends at once. Otherwise the cancel is made durable first, then the attempt
//! is told to stop, and everyone who asked waits until it reports its end, with the final position, or until
//! the time for that is over. An attempt that had finished by itself by then leaves the task completed, and
//! that is what those who asked are told.

use std::sync::Arc;

use crate::effect::Effect;
use crate::id::{ReplyToken, TaskId};
use crate::machine::driver::Machine;
use crate::machine::moves::cut_short;
use crate::machine::step::{Answer, Deed};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::task::{TaskEvent, TaskRecord, TaskState};
use crate::time::Now;
use crate::timer::Timer;

impl Machine {
    /// Someone cancels a task.
    pub(super) fn task_cancel(
        &mut self,
        now: Now,
        reply: ReplyToken,
        task: TaskId,
        cold: Option<Arc<TaskRecord>>,
    ) {
        if self.tasks.contains_key(&task) {
            self.held.entry(task).or_default().push(reply);
            self.cancel(now, task);
        } else {
            let answer = match cold {
                Some(record) => Reply::TaskCancelled(record),
                None => Reply::Refused(Refusal::TaskUnknown { task }),
            };
            self.step.replies.push((reply, Answer::Ready(answer)));
        }
    }

    /// Cancels a live task; once is enough.
    pub(super) fn cancel(&mut self, now: Now, task: TaskId) {
        match self.transit(task, TaskEvent::CancelAsked) {
            Some(TaskState::CancelRequested) => {
                let overdue = now.mono + self.config.cancel_confirm_ms;
                self.timers.set(Timer::CancelOverdue(task), overdue);
                self.timers.clear(Timer::Disconnect(task));
                self.order_stop(task);
            }
            Some(_) => {
                let position = self.tasks.get(&task).map_or(0, |live| live.record.position);
                self.finish(now, task, cut_short(position));
            }
            None => {}
        }
    }

    /// Tells the runner of a task's attempt to stop.
    pub(super) fn order_stop(&mut self, task: TaskId) {
        let head = self
            .tasks
            .get(&task)
            .and_then(|live| live.record.attempt.as_ref());
        if let Some(attempt) = head.map(|head| head.id) {
            self.step
                .deeds
                .push(Deed::Ready(Effect::AttemptCancel { attempt, task }));
        }
    }
}
