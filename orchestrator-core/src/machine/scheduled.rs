//! Tasks that are accepted for later: they wait for a time of the wall clock, and are queued when it comes.
//!
//! Such a task takes its place in its flow by that time, as one that was accepted then; and it stays by that, over a
//! restart and a clock that is set. It is neither counted among those that wait at the front door nor dropped for a
//! newcomer. How many may wait for their time is bounded for itself.

use crate::id::TaskId;
use crate::machine::driver::{LiveTask, Machine};
use crate::refusal::Refusal;
use crate::task::{TaskEvent, TaskState, WaitingFor};
use crate::time::{AgeMs, MonoMs, Now, WallMs};
use crate::timer::Timer;

/// The machine wakes at least so often while a task waits for its time: so much later at most it is seen that the
/// wall clock was set forward.
const CLOCK_WATCH_MS: u64 = 1_000;

impl LiveTask {
    /// The time that it waits for.
    pub(super) fn waits_until(&self) -> Option<WallMs> {
        let waits = self.record.state == TaskState::Waiting(WaitingFor::Time);
        self.record.spec.run_at.filter(|_| waits)
    }
}

impl Machine {
    /// May one more wait for its time, and does it end in time?
    pub(super) fn schedule_refusal(&self, now: Now, newcomer: &LiveTask) -> Option<Refusal> {
        let start_ms = newcomer.waits_until()? - now.wall;
        if let Some(deadline_ms) = newcomer.record.spec.deadline_ms
            && deadline_ms <= start_ms
        {
            return Some(Refusal::DeadlineBeforeStart {
                deadline_ms,
                start_ms,
            });
        }
        let capacity = self.config.scheduled_max.max(1);
        let first = self.schedule.first()?;
        (self.schedule.len() >= capacity as usize).then(|| Refusal::ScheduleFull {
            capacity,
            retry_after_ms: (first - now.wall).max(1),
        })
    }

    /// Lets a task in that state wait for its time.
    pub(super) fn await_time(&mut self, task: TaskId) {
        if let Some(at) = self.tasks.get(&task).and_then(|live| live.waits_until()) {
            self.schedule.add(at, task);
        }
    }

    /// A task waits for its time no more.
    pub(super) fn await_no_more(&mut self, task: TaskId) {
        let row = self.tasks.get(&task).map(|live| &live.record);
        if let Some(at) = row.and_then(|row| row.spec.run_at) {
            self.schedule.remove(at, task);
        }
    }

    /// Queues one task whose time has come. False if there is none.
    pub(super) fn time_came(&mut self, now: Now) -> bool {
        let Some(task) = self.schedule.pop_due(now.wall) else {
            return false;
        };
        if let Some(live) = self.tasks.get_mut(&task)
            && let Some(at) = live.waits_until()
        {
            live.eligible = AgeMs::of_wall(now, at);
        }
        self.transit(task, TaskEvent::TimeCame);
        true
    }

    /// When to look at the wall clock.
    pub(super) fn schedule_wake(&self) -> Option<MonoMs> {
        let left = self.schedule.first()? - self.wall;
        Some(self.clock + left.min(CLOCK_WATCH_MS))
    }

    /// Milliseconds until a task that waits goes on; `None` if it does not wait.
    pub(super) fn wait_ms(&self, now: Now, live: &LiveTask) -> Option<u64> {
        match live.waits_until() {
            Some(at) => Some(at - now.wall),
            None => {
                let pause = self.timers.at(Timer::Backoff(live.record.id));
                pause.map(|at| at - now.mono)
            }
        }
    }

    /// Estimated milliseconds to the start of a task that has not begun. What is ahead of one that waits for its
    /// time runs meanwhile.
    pub(super) fn begins_in_ms(&self, now: Now, live: &LiveTask, ahead: u64) -> u64 {
        self.begins_after(now, live, self.start_in_ms(live, ahead))
    }

    /// The same, where the queue alone takes so long.
    pub(super) fn begins_after(&self, now: Now, live: &LiveTask, queue: u64) -> u64 {
        match (live.waits_until(), self.wait_ms(now, live)) {
            (Some(_), Some(wait)) => wait.max(queue),
            (_, pause) => pause.unwrap_or(0) + queue,
        }
    }
}
