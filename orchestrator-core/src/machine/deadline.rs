//! Deadlines: refused at once where they cannot be met, and tasks that wait beyond theirs end without running.
//!
//! An attempt that runs when the deadline passes runs on: its tokens are on their way to somebody. It is counted as
//! late, and if it breaks there is no other.

use crate::eta::{Forecast, forecast};
use crate::id::TaskId;
use crate::machine::driver::{LiveTask, Machine};
use crate::refusal::Refusal;
use crate::task::{TaskEnd, TaskEvent, TaskFault, TaskRecord};
use crate::time::{AgeMs, MonoMs, Now};
use crate::timer::Timer;

impl LiveTask {
    /// When its deadline passes, if it has one.
    pub(super) fn deadline(&self) -> Option<AgeMs> {
        Some(self.since.after(self.record.spec.deadline_ms?))
    }
}

impl Machine {
    /// Sets the alarm for a task's deadline, if it has one.
    pub(super) fn watch_deadline(&mut self, task: TaskId, deadline: Option<AgeMs>) {
        if let Some(at) = deadline {
            let at = MonoMs(u64::try_from(at.0).unwrap_or(0));
            self.timers.set(Timer::Deadline(task), at);
        }
    }

    /// The refusal of a newcomer whose deadline is not likely enough to be met. Nothing is refused before
    /// something was measured.
    pub(super) fn deadline_refusal(&self, now: Now, live: &LiveTask) -> Option<Refusal> {
        let deadline_ms = live.record.spec.deadline_ms?;
        let forecast = self.forecast(now, live)?;
        let needed = self.config.deadline_confidence_permille;
        (forecast.on_time_permille < needed).then(|| {
            let expected = forecast.start_ms + forecast.service.mean_ms;
            Refusal::DeadlineUnmet {
                deadline_ms,
                forecast,
                // The queue has to get so much shorter; if it is the task itself that takes too long, waiting
                // does not help, and what is said is how long the next measurement takes.
                retry_after_ms: expected.saturating_sub(deadline_ms).max(1),
            }
        })
    }

    /// The forecast for a task with a deadline that has not begun; `None` without one, or if nothing is measured.
    pub(super) fn forecast(&self, now: Now, live: &LiveTask) -> Option<Forecast> {
        let deadline = live.deadline()?;
        let left_ms = u64::try_from(deadline.0 - AgeMs::at(now.mono).0).unwrap_or(0);
        let lane = live.lane();
        let pools = || self.fleet.serving(&lane);
        // Of several pools the slowest: it may run on any.
        let service = pools()
            .filter_map(|pool| {
                self.service
                    .service(&pool.name, live.record.spec.max_tokens)
            })
            .max_by_key(|service| service.mean_ms)?;
        let offers = self.fleet.offers(&lane);
        let slots = offers.map(|offer| u64::from(offer.hoped)).sum();
        let ahead = self.ahead(now, live);
        let start_ms = self.begins_after(now, live, self.latest_start_in_ms(live, ahead));
        Some(forecast(left_ms, start_ms, service, ahead, slots))
    }

    /// The probability, in thousandths, with which a task that has not begun ends within its deadline.
    #[must_use]
    pub fn on_time_permille(&self, now: Now, task: TaskId) -> Option<u32> {
        let live = self.tasks.get(&task)?;
        let forecast = live
            .record
            .state
            .is_before_dispatch()
            .then(|| self.forecast(now, live))?;
        forecast.map(|forecast| forecast.on_time_permille)
    }

    /// A deadline has passed.
    pub(super) fn deadline_passed(&mut self, now: Now, task: TaskId) {
        let Some(row) = self.tasks.get(&task).map(|live| &live.record) else {
            return;
        };
        if row.state.is_before_dispatch() {
            let end = overdue(row);
            if self.transit(task, TaskEvent::Expired).is_some() {
                self.finish(now, task, end);
            }
        }
    }

    /// How a task ends that would wait for another attempt, if its deadline has passed.
    pub(super) fn overdue(&self, now: Now, task: TaskId) -> Option<TaskEnd> {
        let live = self.tasks.get(&task)?;
        let passed = live.deadline()? <= AgeMs::at(now.mono);
        passed.then(|| overdue(&live.record))
    }
}

fn overdue(row: &TaskRecord) -> TaskEnd {
    let deadline_ms = row.spec.deadline_ms.unwrap_or(0);
    let detail = if row.attempts == 0 {
        format!("it was still waiting when its {deadline_ms} ms were over, and never ran")
    } else {
        format!(
            "its {deadline_ms} ms were over before attempt {} could begin",
            row.attempts + 1
        )
    };
    TaskEnd::Failed {
        fault: TaskFault::DeadlineUnmet,
        detail,
    }
}
