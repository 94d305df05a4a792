//! Moving a task from state to state, with all that hangs on a state.

use std::sync::Arc;

use crate::id::TaskId;
use crate::machine::driver::{LiveTask, Machine};
use crate::machine::step::{Answer, Deed};
use crate::queue::{Entry, Flow, LaneKey, Place, Turn};
use crate::session::Amounts;
use crate::task::{
    FinishReason, Move, TaskEnd, TaskEvent, TaskRecord, TaskSpec, TaskState, WaitingFor, next,
};
use crate::time::{AgeMs, Now};
use crate::timer::Timer;

/// Context window that a task needs at least: what it asks for, and room for the shortest prompt that it can
/// be and one token more.
pub(crate) fn ctx_need(spec: &TaskSpec) -> u32 {
    let prompt = spec.prompt.tokens_least.saturating_add(1);
    u32::try_from(prompt)
        .unwrap_or(u32::MAX)
        .max(spec.ctx.unwrap_or(0))
}

impl LiveTask {
    /// `eligible`: when it became so, or is expected to.
    pub(super) fn new(record: TaskRecord, since: AgeMs, eligible: AgeMs) -> Self {
        Self {
            record: Arc::new(record),
            since,
            eligible,
            claim: Amounts::default(),
            budget: None,
            shown: false,
        }
    }

    /// The lane that it waits in. What nobody can have been shown durably, as far as is known, may be begun anew.
    pub(super) fn lane(&self) -> LaneKey {
        let record = &self.record;
        LaneKey {
            model_ref: record.spec.model_ref.clone(),
            engine: record.spec.engine,
            pinned: record.replica_set,
            renounces: record.replica_set.is_some() && record.position == 0 && !self.shown,
        }
    }
}

/// Where a queued task stands.
pub(super) struct Line {
    lane: LaneKey,
    flow: Flow,
    entry: Entry,
    /// It counts against the bounds of its class.
    at_front_door: bool,
    /// It had an attempt, or was accepted for later.
    comes_back: bool,
}

impl Machine {
    /// A task's place in the queue's order.
    pub(super) fn place(&self, live: &LiveTask) -> Place {
        let record = &live.record;
        let ageing_ms = self.config.ageing_ms;
        Place {
            flow: Flow {
                tenant: record.tenant,
                class: self.classes.rank(record.spec.priority),
            },
            turn: Turn::new(live.eligible, live.deadline(), ageing_ms, record.seq),
        }
    }

    /// The row of a live task, to be changed.
    pub(super) fn row_mut(&mut self, task: TaskId) -> Option<&mut TaskRecord> {
        let live = self.tasks.get_mut(&task)?;
        self.step.touch(task);
        Some(Arc::make_mut(&mut live.record))
    }

    /// Lets an event happen to a task. The new state, or `None` if nothing changed.
    pub(super) fn transit(&mut self, task: TaskId, event: TaskEvent) -> Option<TaskState> {
        let from = self.tasks.get(&task)?.record.state;
        let to = match next(from, event) {
            Move::To(to) => to,
            Move::Stay => return None,
            Move::Illegal => {
                debug_assert!(false, "{event:?} cannot happen to a task in state {from:?}");
                return None;
            }
        };
        match from {
            TaskState::Queued => self.dequeue(task),
            TaskState::Waiting(WaitingFor::Backoff) => self.timers.clear(Timer::Backoff(task)),
            TaskState::Waiting(WaitingFor::Time) => self.await_no_more(task),
            TaskState::CancelRequested => self.timers.clear(Timer::CancelOverdue(task)),
            _ => {}
        }
        let row = self.row_mut(task)?;
        row.state = to;
        row.not_before = None;
        if to == TaskState::Queued {
            self.enqueue(task);
        }
        Some(to)
    }

    /// Puts a task in state `queued` into the queue.
    pub(super) fn enqueue(&mut self, task: TaskId) {
        if let Some(live) = self.tasks.get(&task) {
            let line = self.line(live);
            self.stand_in_line(line);
        }
    }

    /// Where a task stands in the queue while it is in state `queued`.
    pub(super) fn line(&self, live: &LiveTask) -> Line {
        let record = &live.record;
        let Place { flow, turn } = self.place(live);
        let entry = Entry {
            task: record.id,
            turn,
            need: ctx_need(&record.spec),
            cost: record.spec.cost(),
        };
        let scheduled = record.scheduled_at().is_some();
        Line {
            lane: live.lane(),
            flow,
            entry,
            at_front_door: record.attempts == 0
                && !scheduled
                && self.classes.is_configured(record.spec.priority),
            comes_back: record.attempts > 0 || scheduled,
        }
    }

    pub(super) fn stand_in_line(&mut self, line: Line) {
        let Line {
            lane, flow, entry, ..
        } = line;
        self.lanes.insert(lane, flow, entry);
        if line.at_front_door {
            self.front.insert(flow.class, entry.turn.seq, entry.task);
        }
        // Who comes in at the front door was found able to run; who comes back or comes later is looked at again.
        self.pending.sweep |= line.comes_back;
        self.pending.dispatch = true;
    }

    pub(super) fn dequeue(&mut self, task: TaskId) {
        if let Some(live) = self.tasks.get(&task) {
            let place = self.place(live);
            self.lanes.remove(&live.lane(), place);
            self.front.remove(place.flow.class, place.turn.seq);
        }
    }

    /// Completes the record of a task that has just come to a final state, and tells everyone.
    pub(super) fn finish(&mut self, now: Now, task: TaskId, end: TaskEnd) {
        let Some(row) = self.row_mut(task) else {
            return;
        };
        row.ended_at = Some(now.wall);
        row.end = Some(end);
        let session = row.session_key();
        self.quota_give_back(now, task);
        self.settle_budget(task);
        self.timers.clear(Timer::Deadline(task));
        self.timers.clear(Timer::Disconnect(task));
        if let Some(session) = session
            && self.sessions.touch(session, now)
        {
            self.session_changed(session);
        }
        for reply in self.held.remove(&task).unwrap_or_default() {
            self.step.replies.push((reply, Answer::Cancelled(task)));
        }
        self.step.deeds.push(Deed::Ended(task));
    }

    /// A session's row has changed: it is written with this step, and its alarm set anew.
    pub(super) fn session_changed(&mut self, session: crate::id::SessionKey) {
        self.step.sessions.insert(session);
        match self.sessions.expires(session) {
            Some(at) => self.timers.set(Timer::Session(session), at),
            None => self.timers.clear(Timer::Session(session)),
        }
    }
}

/// The end of a task that was cancelled before its text was whole, at its durable position.
pub(crate) fn cut_short(position: u64) -> TaskEnd {
    TaskEnd::Finished {
        finish: FinishReason::Cancelled,
        tokens_in: 0,
        tokens_out: position,
        decode_ms: 0,
    }
}
