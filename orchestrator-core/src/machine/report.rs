//! The world happened.

use crate::entropy::Entropy;
use crate::id::{AttemptId, PayloadRef, TaskId};
use crate::input::Report;
use crate::machine::background::Loss;
use crate::machine::close::Close;
use crate::machine::driver::Machine;
use crate::mutation::Mutation;
use crate::task::{OnDisconnect, TaskEvent, TaskState};
use crate::time::Now;
use crate::timer::Timer;

impl Machine {
    /// Takes a report in.
    pub(super) fn report(&mut self, now: Now, entropy: &mut dyn Entropy, report: Report) {
        match report {
            Report::AttemptChunk {
                attempt,
                from,
                to,
                chunk,
            } => {
                self.attempt_chunk(now, attempt, (from, to), chunk);
            }
            Report::AttemptEnded { attempt, end } => {
                if let Some(task) = self.task_of(attempt) {
                    self.close(now, entropy, task, attempt, Close::Reported(end));
                }
            }
            Report::AttemptRenewed { attempt } => {
                if self.task_of(attempt).is_some() {
                    self.renew(now, attempt);
                }
            }
            Report::AttemptRunning { attempt } => {
                if let Some(task) = self.task_of(attempt) {
                    self.attempt_running(now, task, attempt);
                }
            }
            Report::PoolUnavailable { pool, detail } => {
                let known = self.fleet.give_up(&pool, detail);
                self.fleet_changed(known);
            }
            Report::ReadersChanged { task, readers } => self.readers_changed(now, task, readers),
            Report::ReplicaDown { replica, detail } => {
                let lost = self.fleet.down(&replica, detail.clone());
                self.fleet_changed(lost.is_some());
                self.lose(lost.unwrap_or_default(), &Loss::Replica(detail));
            }
            Report::ReplicaReady { facts } => {
                let lost = self.fleet.ready(*facts);
                self.fleet_changed(lost.is_some());
                let detail = "the replica came back as another".to_owned();
                self.lose(lost.unwrap_or_default(), &Loss::Replica(detail));
            }
        }
    }

    /// The task of a live attempt; counts reports of others.
    fn task_of(&mut self, attempt: AttemptId) -> Option<TaskId> {
        let task = self.attempts.get(&attempt).map(|live| live.record.task);
        if task.is_none() {
            self.counters.reports_stale += 1;
        }
        task
    }

    fn fleet_changed(&mut self, known: bool) {
        if known {
            self.pending.sweep = true;
            self.pending.dispatch = true;
        } else {
            self.counters.reports_foreign += 1;
        }
    }

    fn lose(&mut self, attempts: Vec<AttemptId>, loss: &Loss) {
        for attempt in attempts {
            if let Some(live) = self.attempts.get(&attempt) {
                self.pending
                    .lost
                    .insert((live.record.task, attempt), loss.clone());
            }
        }
    }

    fn renew(&mut self, now: Now, attempt: AttemptId) {
        self.timers
            .set(Timer::Lease(attempt), now.mono + self.config.lease_ttl_ms);
    }

    fn attempt_running(&mut self, now: Now, task: TaskId, attempt: AttemptId) {
        self.renew(now, attempt);
        let Some(first_token_ms) = self
            .tasks
            .get(&task)
            .map(|live| live.since.elapsed(now.mono))
        else {
            return;
        };
        if let Some(live) = self.attempts.get_mut(&attempt) {
            live.first_token_ms.get_or_insert(first_token_ms);
        }
        if let Some(live) = self.tasks.get_mut(&task) {
            live.shown = true;
        }
        if self.transit(task, TaskEvent::Running) == Some(TaskState::Running) {
            self.pin(task, attempt);
        }
    }

    /// From here on tokens may be out: only this replica set can continue the text.
    pub(super) fn pin(&mut self, task: TaskId, attempt: AttemptId) {
        let set = self
            .attempts
            .get(&attempt)
            .map(|live| live.record.replica_set);
        if let Some(row) = self.row_mut(task) {
            row.replica_set = row.replica_set.or(set);
        }
    }

    fn attempt_chunk(
        &mut self,
        now: Now,
        attempt: AttemptId,
        (from, to): (u64, u64),
        chunk: PayloadRef,
    ) {
        let Some(task) = self.task_of(attempt) else {
            return;
        };
        let position = self.tasks.get(&task).map(|live| live.record.position);
        if position != Some(from) || to <= from {
            self.counters.chunks_misplaced += 1;
            return;
        }
        self.attempt_running(now, task, attempt);
        if let Some(row) = self.row_mut(task) {
            row.position = to;
        }
        self.step.chunk = Some(Mutation::ChunkAppend {
            task,
            attempt,
            from,
            to,
            chunk,
        });
    }

    /// Readers matter only to tasks that end with them. That there are none is told only when one has left,
    /// also to a machine that was recovered since that one came.
    fn readers_changed(&mut self, now: Now, task: TaskId, readers: u32) {
        let Some(live) = self.tasks.get(&task) else {
            return;
        };
        let record = &live.record;
        if record.spec.on_disconnect != OnDisconnect::Cancel
            || record.state == TaskState::CancelRequested
        {
            return;
        }
        let alarm = Timer::Disconnect(task);
        if readers > 0 {
            self.timers.clear(alarm);
        } else if self.timers.at(alarm).is_none() {
            let at = now.mono + self.config.disconnect_grace_ms;
            self.timers.set(alarm, at);
        }
    }
}
