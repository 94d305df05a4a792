//! Rebuilding a machine from what is durable.

use std::collections::BTreeMap;

use crate::attempt::LiveAttempt;
use crate::bulk::{BulkRecord, Bulks};
use crate::effect::Effect;
use crate::eta::{Calibration, ServiceTimes};
use crate::id::{AcceptSeq, AttemptId, BulkId, Epoch, KeyId, SessionKey, TaskId};
use crate::idempotency::{Bindings, IdempotencyRecord};
use crate::key::{KeyRecord, Keys};
use crate::machine::background::{Loss, Pending};
use crate::machine::config::MachineConfig;
use crate::machine::dispatch::order;
use crate::machine::driver::{Counters, LiveTask, Machine};
use crate::machine::step::{Deed, Step};
use crate::placement::Fleet;
use crate::queue::{Classes, Fairness, FrontDoor, Lanes, PauseRecord, Pauses};
use crate::quota::{QuotaLevels, QuotaRecord, QuotaSubject, Quotas};
use crate::session::{SessionRecord, Sessions};
use crate::task::{AttemptRecord, TaskRecord, TaskState, WaitingFor};
use crate::time::{AgeMs, Now};
use crate::timer::{Schedule, Timer, Timers};

/// What the store holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// The term that begins.
    pub epoch: Epoch,
    /// Highest accept sequence ever given.
    pub accept_seq: AcceptSeq,
    /// Every task that has not ended.
    pub tasks: Vec<TaskRecord>,
    /// The live attempts of those tasks.
    pub attempts: Vec<AttemptRecord>,
    /// Every session.
    pub sessions: Vec<SessionRecord>,
    /// Every key there ever was.
    pub keys: Vec<KeyRecord>,
    /// Every idempotency key that is kept, by number.
    pub idempotency: Vec<IdempotencyRecord>,
    /// Every quota that was put.
    pub quotas: Vec<QuotaRecord>,
    /// What was used of quotas and flows back with time.
    pub quota_levels: Vec<QuotaLevels>,
    /// Every queue that was ever held.
    pub pauses: Vec<PauseRecord>,
    /// Every bulk that is remembered.
    pub bulks: Vec<BulkRecord>,
}

/// The durable part of a machine's state, to be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct HardState {
    /// Highest accept sequence ever given.
    pub accept_seq: AcceptSeq,
    /// Tasks that have not ended.
    pub tasks: BTreeMap<TaskId, TaskRecord>,
    /// Attempts that have not ended.
    pub attempts: BTreeMap<AttemptId, AttemptRecord>,
    /// Sessions.
    pub sessions: BTreeMap<SessionKey, SessionRecord>,
    /// Keys, those that have ended included.
    pub keys: BTreeMap<KeyId, KeyRecord>,
    /// Idempotency keys, by number.
    pub idempotency: Vec<IdempotencyRecord>,
    /// Quotas.
    pub quotas: BTreeMap<QuotaSubject, QuotaRecord>,
    /// What was used of them and flows back with time.
    pub quota_levels: BTreeMap<QuotaSubject, QuotaLevels>,
    /// Queues that were ever held, by pool.
    pub pauses: Vec<PauseRecord>,
    /// Bulks, those that have ended included.
    pub bulks: BTreeMap<BulkId, BulkRecord>,
}

impl Machine {
    /// Rebuilds the machine. Nothing durable changes here: attempts that are over because their owner is gone
    /// are ended by the steps that follow (see [`Machine::next_wake`]).
    ///
    /// An attempt of an earlier epoch is over if runners do not outlive their owner
    /// ([`MachineConfig::attachable`]); a task gets another attempt at once after its first such loss, and
    /// after a pause from the second on. Every other live attempt gets a fresh lease, and its start, or its
    /// stop if it was being cancelled, is ordered again.
    #[must_use]
    pub fn recover(config: MachineConfig, now: Now, recovered: Recovered) -> Self {
        let Recovered {
            epoch,
            accept_seq,
            mut tasks,
            attempts,
            sessions,
            keys,
            idempotency,
            quotas,
            quota_levels,
            pauses,
            bulks,
        } = recovered;
        tasks.sort_by_key(|row| row.seq);
        let mut machine = Self {
            epoch,
            accept_seq,
            clock: now.mono,
            tasks: BTreeMap::new(),
            attempts: BTreeMap::new(),
            sessions: Sessions::new(config.session_ttl_ms),
            keys: Keys::from_iter(keys),
            idempotency: Bindings::new(
                config.idempotency_retention_ms,
                config.idempotency_keys_max as usize,
            ),
            quotas: Quotas::new(config.tenant_limits),
            pauses: Pauses::from_iter(pauses),
            bulks: Bulks::from_iter(bulks),
            classes: classes(&config, &tasks),
            lanes: Lanes::default(),
            fairness: Fairness::default(),
            front: FrontDoor::default(),
            fleet: Fleet::new(&config.pools),
            service: ServiceTimes::new(config.service_guess_ms),
            calibration: Calibration::default(),
            timers: Timers::default(),
            schedule: Schedule::default(),
            wall: now.wall,
            held: BTreeMap::new(),
            pending: Pending::default(),
            counters: Counters::default(),
            step: Step::default(),
            outputs: std::collections::VecDeque::new(),
            config,
        };
        machine.fleet.hold(&machine.pauses);
        machine.restore_quotas(now, quotas, quota_levels);
        for row in attempts {
            machine.restore_attempt(now, row);
        }
        let mut youngest = AgeMs(i64::MIN);
        for row in tasks {
            // Age never falls as the sequence rises, whatever the wall clock did.
            youngest = youngest.max(AgeMs::of_wall(now, row.accepted_at));
            machine.restore_task(now, row, youngest);
        }
        machine.idempotency.restore(now, idempotency);
        machine.pending.sweep = true;
        machine.restore_sessions(now, sessions);
        machine.restore_claims();
        machine.flush();
        machine
    }

    fn restore_quotas(
        &mut self,
        now: Now,
        quotas: Vec<QuotaRecord>,
        quota_levels: Vec<QuotaLevels>,
    ) {
        self.quotas.restore_lines(self.keys.iter());
        for row in quotas {
            self.quotas.restore(row);
        }
        for row in quota_levels {
            self.quotas.restore_levels(now, row);
        }
    }

    fn restore_sessions(&mut self, now: Now, sessions: Vec<SessionRecord>) {
        for row in sessions {
            let id = row.key();
            self.sessions.restore(now, row);
            if let Some(at) = self.sessions.expires(id) {
                self.timers.set(Timer::Session(id), at);
            }
        }
    }

    fn restore_attempt(&mut self, now: Now, record: AttemptRecord) {
        let since = AgeMs::of_wall(now, record.began_at);
        self.fleet
            .take_again(&record.replica, record.id, record.replica_set);
        let live = LiveAttempt {
            record,
            first_token_ms: None,
            since,
            charge: None,
        };
        self.attempts.insert(live.record.id, Box::new(live));
    }

    fn restore_task(&mut self, now: Now, record: TaskRecord, since: AgeMs) {
        let task = record.id;
        let state = record.state;
        let not_before = record.not_before;
        let scheduled = record.scheduled_at();
        let eligible = scheduled.map_or(since, |at| AgeMs::of_wall(now, at));
        let claim = self.claim(&record);
        self.quotas.restore_task(&claim);
        let live = LiveTask::new(record, since, eligible);
        self.watch_deadline(task, live.deadline());
        self.tasks.insert(task, Box::new(live));
        match state {
            TaskState::Queued => self.enqueue(task),
            TaskState::Waiting(WaitingFor::Time) => self.await_time(task),
            TaskState::Waiting(WaitingFor::Backoff) => {
                let left = not_before.map_or(0, |at| at - now.wall);
                let left = left.min(self.config.retry.backoff_cap_ms);
                self.timers.set(Timer::Backoff(task), now.mono + left);
            }
            TaskState::Dispatched | TaskState::Running | TaskState::CancelRequested => {
                self.restore_running(now, task);
            }
            TaskState::Completed | TaskState::Failed | TaskState::Cancelled | TaskState::Parked => {
            }
        }
        let row = self.tasks.get(&task).map(|live| &live.record);
        if let Some(effect) = row.and_then(|row| Effect::task_started(row)) {
            self.step.deeds.push(Deed::Ready(effect));
        }
    }

    fn restore_running(&mut self, now: Now, task: TaskId) {
        let Some(live) = self.tasks.get(&task) else {
            return;
        };
        let cancelling = live.record.state == TaskState::CancelRequested;
        let Some(attempt) = live.record.attempt.as_ref().map(|head| head.id) else {
            return;
        };
        let row = self.attempts.get(&attempt).map(|live| &live.record);
        let goes_on = row.is_some_and(|row| {
            let known = self.fleet.replica(&row.replica).is_some();
            known && (self.config.attachable || row.epoch >= self.epoch)
        });
        if goes_on {
            self.timers
                .set(Timer::Lease(attempt), now.mono + self.config.lease_ttl_ms);
            if cancelling {
                let overdue = now.mono + self.config.cancel_confirm_ms;
                self.timers.set(Timer::CancelOverdue(task), overdue);
            }
            self.emit_again(task);
        } else {
            self.pending.lost.insert((task, attempt), Loss::Owner);
        }
    }

    /// Orders again what a live attempt needs and is not known to be done.
    fn emit_again(&mut self, task: TaskId) {
        let Some(row) = self.tasks.get(&task).map(|live| &live.record) else {
            return;
        };
        let Some(head) = row.attempt.as_ref() else {
            return;
        };
        let effect = if row.state == TaskState::CancelRequested {
            Effect::AttemptCancel {
                attempt: head.id,
                task,
            }
        } else {
            Effect::AttemptStart(Box::new(order(row, head)))
        };
        self.step.deeds.push(Deed::Ready(effect));
    }

    /// What of this machine is durable once its outputs are committed.
    #[must_use]
    pub fn hard_state(&self) -> HardState {
        let tasks = self
            .tasks
            .iter()
            .map(|(id, live)| (*id, TaskRecord::clone(&live.record)));
        let attempts = self
            .attempts
            .iter()
            .map(|(id, live)| (*id, live.record.clone()));
        let sessions = self.sessions.rows().map(|row| (row.key(), row.clone()));
        let keys = self.keys.iter().map(|row| (row.id, KeyRecord::clone(row)));
        let quotas = self.quotas.rows();
        let quotas = quotas.map(|row| (row.of.subject(), QuotaRecord::clone(row)));
        let levels = self.quotas.all_levels();
        let bulks = self.bulks.rows().map(|row| (row.id, row.clone()));
        HardState {
            accept_seq: self.accept_seq,
            tasks: tasks.collect(),
            attempts: attempts.collect(),
            sessions: sessions.collect(),
            keys: keys.collect(),
            idempotency: self.idempotency.records().copied().collect(),
            quotas: quotas.collect(),
            quota_levels: levels.map(|row| (row.subject, row)).collect(),
            pauses: self.pauses.rows().cloned().collect(),
            bulks: bulks.collect(),
        }
    }
}

/// The classes that are configured, and those that tasks are in all the same.
fn classes(config: &MachineConfig, tasks: &[TaskRecord]) -> Classes {
    let mut classes = Classes::new(&config.classes);
    for row in tasks {
        classes.meet(row.spec.priority);
    }
    classes
}
