//! The machine and how it is driven.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::attempt::LiveAttempt;
use crate::bulk::Bulks;
use crate::effect::Effect;
use crate::entropy::Entropy;
use crate::eta::{Calibration, ServiceTimes};
use crate::id::{AcceptSeq, AttemptId, Epoch, ReplyToken, TaskId};
use crate::idempotency::Bindings;
use crate::input::{Ask, Command, Input};
use crate::key::Keys;
use crate::machine::background::{Pending, WORK_PER_STEP};
use crate::machine::config::MachineConfig;
use crate::machine::recover::Recovered;
use crate::machine::step::Step;
use crate::mutation::Mutation;
use crate::placement::Fleet;
use crate::queue::{Classes, Fairness, FrontDoor, Lanes, Pauses};
use crate::quota::Quotas;
use crate::reply::Reply;
use crate::session::{Amounts, SessionBudget, Sessions};
use crate::task::TaskRecord;
use crate::time::{AgeMs, MonoMs, Now, WallMs};
use crate::timer::{Schedule, Timers};

/// Most mutations that one step emits: 9 for the input itself (a newcomer, its session, its idempotency key and the levels
/// of its two quotas, and a victim with as much but a key; or an attempt, its task, its text, its session and its levels),
/// and 5 for each piece of background work (of a bulk: a task with its session and its levels, and the bulk).
pub const MUTATIONS_PER_STEP_MAX: usize = 9 + 5 * WORK_PER_STEP;

/// One thing that comes out of the machine.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Remember this.
    Persist(Mutation),
    /// Answer the command that came with this token.
    Reply(ReplyToken, Reply),
    /// Do this.
    Effect(Effect),
}

/// What the machine has seen that it did not act on, since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Reports of attempts that are not live: late, repeated, or never ordered.
    pub reports_stale: u64,
    /// Chunks that do not begin at the durable position.
    pub chunks_misplaced: u64,
    /// Reports of replicas or pools that do not agree with the configuration.
    pub reports_foreign: u64,
}

/// The deterministic machine: equal inputs give equal outputs.
///
/// # How to drive it
///
/// 1. Begin with [`Machine::recover`] over what the store holds (or [`Machine::new`] for nothing), then drain
///    [`Machine::poll`]: effects whose completion is not known to be durable come out again.
/// 2. For every input call [`Machine::step`] with the present time. For [`Ask::TaskCreate`],
///    [`Ask::TaskCancel`] and [`Ask::TaskRequeue`] of a task for which [`Machine::is_live`] is false, look its record
///    up in the store first and pass it along as `cold`; which task it is for a create, if any, says
///    [`Machine::answered_by`]. That look-up must see every mutation the machine has emitted.
/// 3. After a step drain [`Machine::poll`] until `None`. A step's outputs come as all its mutations, then its
///    replies, then its effects. Several steps may be drained into one batch.
/// 4. Commit the mutations of a batch in one transaction, in order, and only then release its replies and
///    effects, in order. If the commit has failed for good, drop the machine and recover another.
/// 5. Ask [`Machine::next_wake`] and step with [`Input::Tick`] no later than that. A moment that has passed
///    means: at once, there is more to do than fits into one step.
/// 6. Read as you like between steps ([`Machine::explain`], [`Machine::record`] and the other reads); what you
///    read is ahead of the store until the batch is committed.
///
/// Spurious calls are harmless: a tick that is too early does nothing, `poll` on an empty machine is `None`,
/// reports that come twice, late, or from attempts that were never ordered change nothing. A clock that runs
/// backwards counts as standing still (monotonic) or is believed (wall; only records see it).
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub(super) config: MachineConfig,
    pub(super) epoch: Epoch,
    pub(super) accept_seq: AcceptSeq,
    pub(super) clock: MonoMs,
    pub(super) tasks: BTreeMap<TaskId, Box<LiveTask>>,
    pub(super) attempts: BTreeMap<AttemptId, Box<LiveAttempt>>,
    pub(super) sessions: Sessions,
    pub(super) keys: Keys,
    pub(super) idempotency: Bindings,
    pub(super) quotas: Quotas,
    pub(super) pauses: Pauses,
    pub(super) bulks: Bulks,
    pub(super) classes: Classes,
    pub(super) lanes: Lanes,
    pub(super) fairness: Fairness,
    pub(super) front: FrontDoor,
    pub(super) fleet: Fleet,
    pub(super) service: ServiceTimes,
    pub(super) calibration: Calibration,
    pub(super) timers: Timers,
    pub(super) schedule: Schedule,
    /// The wall clock at the last step.
    pub(super) wall: WallMs,
    /// Commands that wait for the end of a cancelled task's attempt.
    pub(super) held: BTreeMap<TaskId, Vec<ReplyToken>>,
    pub(super) pending: Pending,
    pub(super) counters: Counters,
    pub(super) step: Step,
    pub(super) outputs: VecDeque<Output>,
}

/// A task that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LiveTask {
    /// Its row, which whoever it was given to last may still hold as it was: changing it copies it then.
    pub(crate) record: Arc<TaskRecord>,
    /// When it was accepted. Soft.
    pub(crate) since: AgeMs,
    /// When it became eligible first: as it was accepted, or at the time that it was accepted for. Soft.
    pub(crate) eligible: AgeMs,
    /// What it may use of its session's budget. Soft.
    pub(crate) claim: Amounts,
    /// The budget that it brings for its session. Soft, of a newcomer only.
    pub(crate) budget: Option<Box<SessionBudget>>,
    /// True once an attempt has told this machine of a token. Soft.
    pub(crate) shown: bool,
}

impl Machine {
    /// A machine that remembers nothing, in epoch 0.
    #[must_use]
    pub fn new(config: MachineConfig) -> Self {
        Self::recover(config, Now::default(), Recovered::default())
    }

    /// Takes one input in.
    pub fn step(&mut self, now: Now, entropy: &mut dyn Entropy, input: Input) {
        self.clock = self.clock.max(now.mono);
        self.wall = now.wall;
        let now = Now {
            mono: self.clock,
            wall: now.wall,
        };
        match input {
            Input::Command(command) => self.command(now, command),
            Input::Report(report) => self.report(now, entropy, report),
            Input::Tick => {}
        }
        self.work(now, entropy);
        self.flush();
    }

    /// The next output, if there is one.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to tick although nothing happens; `None`: never.
    #[must_use]
    pub fn next_wake(&self) -> Option<MonoMs> {
        if self.pending.any() || self.bulks.any_running() {
            Some(self.clock)
        } else {
            let forget = self.idempotency.due();
            let alarms = self.timers.first().into_iter().chain(forget);
            let others = self.schedule_wake().into_iter().chain(self.order_wake());
            alarms.chain(others).min()
        }
    }

    /// A new term began without a recovery (the owner probed the store after an unknown outcome): attempts
    /// ordered from now on carry it.
    pub fn set_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    fn command(&mut self, now: Now, command: Command) {
        let Command { reply, ask } = command;
        match ask {
            Ask::BulkBegin(begin) => self.bulk_begin(now, reply, *begin),
            Ask::KeyCreate(create) => self.key_create(now, reply, *create),
            Ask::KeyRevoke { key } => self.key_revoke(now, reply, key),
            Ask::KeyRotate(rotate) => self.key_rotate(now, reply, *rotate),
            Ask::QueuePause(switch) => self.queue_switch(now, reply, switch, true),
            Ask::QueueResume(switch) => self.queue_switch(now, reply, switch, false),
            Ask::QuotaPut(put) => self.quota_put(now, reply, *put),
            Ask::SessionDelete { session } => self.session_delete(now, reply, session),
            Ask::SessionPut(put) => self.session_put(now, reply, &put),
            Ask::TaskCancel { task, cold } => self.task_cancel(now, reply, task, cold),
            Ask::TaskCreate { create, cold } => self.task_create(now, reply, *create, cold),
            Ask::TaskRequeue { task, cold } => self.task_requeue(reply, task, cold),
        }
    }
}
