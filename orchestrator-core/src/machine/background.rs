//! Work that no single input orders: alarms, attempts that are lost, tasks that can never run, free slots.
//! Each step does a bounded piece of it; what is left keeps the machine awake.

use std::collections::BTreeMap;

use crate::entropy::Entropy;
use crate::id::{AttemptId, SessionKey, TaskId};
use crate::machine::bulk::BULK_PIECES_PER_STEP;
use crate::machine::close::Close;
use crate::machine::driver::Machine;
use crate::machine::moves::ctx_need;
use crate::placement::Doom;
use crate::task::{TaskEnd, TaskEvent, TaskFault};
use crate::time::Now;
use crate::timer::Timer;

/// Most pieces of background work in one step.
pub(super) const WORK_PER_STEP: usize = 16;

/// Why an attempt is over without a word from its runner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Loss {
    /// The owner that ordered it is gone, and its runner with it.
    Owner,
    /// Its replica went down; what happened.
    Replica(String),
}

/// Work that is left.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pending {
    /// Attempts that are over.
    pub(crate) lost: BTreeMap<(TaskId, AttemptId), Loss>,
    /// A queued task may be one that can never run.
    pub(crate) sweep: bool,
    /// A queued task may fit a free slot.
    pub(crate) dispatch: bool,
}

impl Pending {
    /// True if there is any.
    pub(crate) fn any(&self) -> bool {
        !self.lost.is_empty() || self.sweep || self.dispatch
    }
}

impl Machine {
    /// Does a bounded piece of it, bulks and losses before alarms before the queue.
    pub(super) fn work(&mut self, now: Now, entropy: &mut dyn Entropy) {
        // For whom a process is kept may have left the queue, or come to be after others who are due by now.
        self.pending.dispatch |= self.fleet.has_shared_room();
        let mut left = WORK_PER_STEP;
        let mut walks = BULK_PIECES_PER_STEP;
        while walks > 0 && self.bulk_walk(now) {
            walks -= 1;
            left -= 1;
        }
        while left > 0 && self.work_once(now, entropy) {
            left -= 1;
        }
    }

    /// Does one piece. False if there is none.
    fn work_once(&mut self, now: Now, entropy: &mut dyn Entropy) -> bool {
        if let Some(((task, attempt), loss)) = self.pending.lost.pop_first() {
            self.close(now, entropy, task, attempt, Close::Lost(loss));
            return true;
        }
        if let Some(timer) = self.timers.pop_due(now.mono) {
            self.alarm(now, entropy, timer);
            return true;
        }
        if self.time_came(now) {
            return true;
        }
        if let Some(through) = self.idempotency.forget(now.mono) {
            self.step.forgotten = Some(through);
            return true;
        }
        if self.pending.sweep {
            self.pending.sweep = self.sweep_next(now);
            if self.pending.sweep {
                return true;
            }
        }
        if self.pending.dispatch {
            self.pending.dispatch = self.dispatch_next(now, entropy);
        }
        self.pending.dispatch
    }

    /// True if nobody comes into the queue with this step but whom its input brings, and nobody in it fits a free
    /// slot.
    pub(super) fn is_at_rest(&self, now: Now) -> bool {
        let alarm = self.timers.first().is_some_and(|at| at <= now.mono);
        let time = self.schedule.first().is_some_and(|at| at <= now.wall);
        let bulk = self.bulks.any_running();
        !(self.pending.dispatch || alarm || time || bulk) && self.pending.lost.is_empty()
    }

    fn alarm(&mut self, now: Now, entropy: &mut dyn Entropy, timer: Timer) {
        match timer {
            Timer::Backoff(task) => {
                self.transit(task, TaskEvent::BackoffOver);
            }
            Timer::CancelOverdue(task) => {
                if let Some(attempt) = self.newest_attempt(task) {
                    self.close(now, entropy, task, attempt, Close::CancelOverdue);
                }
            }
            Timer::Deadline(task) => self.deadline_passed(now, task),
            Timer::Disconnect(task) => self.cancel(now, task),
            Timer::Lease(attempt) => {
                if let Some(task) = self.attempts.get(&attempt).map(|live| live.record.task) {
                    self.close(now, entropy, task, attempt, Close::LeaseExpired);
                }
            }
            Timer::Session(session) => self.session_expired(now, session),
        }
    }

    fn newest_attempt(&self, task: TaskId) -> Option<AttemptId> {
        self.tasks
            .get(&task)?
            .record
            .attempt
            .as_ref()
            .map(|head| head.id)
    }

    fn session_expired(&mut self, now: Now, session: SessionKey) {
        if self.sessions.get(session, now.mono).is_none() {
            self.sessions.remove(session);
            self.step.sessions.insert(session);
        }
    }

    /// Ends one queued task that can never run, or lets it begin anew where that is the way out. False if there
    /// is none.
    fn sweep_next(&mut self, now: Now) -> bool {
        let Some((task, doom)) = self.find_doomed() else {
            return false;
        };
        if doom == Doom::ReplicaSetGone && self.renounce(task) {
            return true;
        }
        if self.transit(task, TaskEvent::Doomed).is_none() {
            return false;
        }
        let (fault, detail) = epitaph(doom);
        self.finish(now, task, TaskEnd::Failed { fault, detail });
        true
    }

    /// Lets a task of whose text nothing is durable begin anew, on any replica set. Whoever was shown a token of
    /// the one that is gone will be told that the text is another. False for every other task.
    fn renounce(&mut self, task: TaskId) -> bool {
        let live = self.tasks.get(&task);
        if !live.is_some_and(|live| live.lane().renounces) {
            return false;
        }
        self.dequeue(task);
        if let Some(row) = self.row_mut(task) {
            row.replica_set = None;
        }
        self.enqueue(task);
        true
    }

    fn find_doomed(&self) -> Option<(TaskId, Doom)> {
        self.lanes.keys().find_map(|lane| {
            let whole = self.fleet.doom(lane, 0).and_then(|_| self.lanes.any(lane));
            let over = || self.lanes.first_over(lane, self.fleet.need_max(lane)?);
            let task = whole.or_else(over)?;
            let live = self.tasks.get(&task)?;
            let doom = self.fleet.doom(&live.lane(), ctx_need(&live.record.spec))?;
            Some((task, doom))
        })
    }
}

/// How a task that can never run ends.
fn epitaph(doom: Doom) -> (TaskFault, String) {
    match doom {
        Doom::NotServed => (
            TaskFault::PoolUnavailable,
            "no configured pool serves what it asks for any more".to_owned(),
        ),
        Doom::PoolUnavailable(detail) => (TaskFault::PoolUnavailable, detail),
        Doom::ContextExceeded { ctx_max } => (
            TaskFault::ContextExceeded,
            format!("it does not fit the largest context, {ctx_max} tokens"),
        ),
        Doom::ReplicaSetGone => (
            TaskFault::ReplicaSetGone,
            "the replica set that wrote the text so far is gone, and no other may continue it"
                .to_owned(),
        ),
    }
}
