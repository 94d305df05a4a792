//! Small things for the tests of the checkers.

use std::collections::{BTreeSet, HashMap};

use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::entropy::{Entropy, Stream};
use orchestrator_core::id::{
    AcceptSeq, AttemptId, Epoch, ModelRef, PayloadRef, ReplicaName, ReplyToken, TaskId,
};
use orchestrator_core::input::{Ask, AttemptEnd, Command, Input, Report, TaskCreate};
use orchestrator_core::machine::{HardState, Machine, Recovered};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::{ClassConfig, ClassName};
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{AttemptRecord, FinishReason, TaskRecord, TaskState};
use orchestrator_core::time::{MonoMs, Now, WallMs};
use orchestratord::owner::OwnerUnavailable;
use store::{Commit, Loaded};

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::plan::{Plan, Setup};
use crate::world::{Asked, facts};

/// A deployment with the usual two classes.
pub(super) fn setup() -> Setup {
    let mut setup = Plan::of(1).setup;
    setup.machine.classes = [ClassConfig::interactive(), ClassConfig::batch()].into();
    setup.unnamed = None;
    setup
}

/// The same with two pools, whose models take turns in one process.
pub(super) fn one_process() -> Setup {
    let is_so = |setup: &Setup| {
        let processes = setup.replicas.iter().map(|replica| &replica.process);
        setup.replicas.len() == 2 && processes.collect::<BTreeSet<_>>().len() == 1
    };
    let setups = (0..).map(|seed| Plan::of(seed).setup);
    let mut setup = setups
        .into_iter()
        .find(is_so)
        .expect("some seed has such a fleet");
    setup.machine.classes = [ClassConfig::interactive(), ClassConfig::batch()].into();
    setup.unnamed = None;
    setup
}

pub(super) fn task(seq: u64, state: TaskState) -> TaskRecord {
    let mut row = test_harness_store_suite::task(seq);
    row.state = state;
    row.replica_set = None;
    row
}

pub(super) fn attempt(id: u128, replica: &ReplicaName) -> AttemptRecord {
    let mut row = test_harness_store_suite::attempt(id, 1, 1);
    row.replica = replica.clone();
    row
}

pub(super) fn order(attempt: u128) -> AttemptOrder {
    let row = task(1, TaskState::Dispatched);
    AttemptOrder {
        attempt: AttemptId(attempt),
        task: row.id,
        number: 1,
        replica: ReplicaName::new("pool-0-0"),
        changes_model: false,
        spec: row.spec,
        position: 0,
        accepted_at: row.accepted_at,
    }
}

pub(super) fn loaded(tasks: Vec<TaskRecord>) -> Loaded {
    Loaded {
        accept_seq: tasks.last().map_or_else(Default::default, |row| row.seq),
        tasks,
        ..Loaded::default()
    }
}

pub(super) fn hard_of(durable: &Loaded) -> HardState {
    HardState {
        accept_seq: durable.accept_seq,
        tasks: durable
            .tasks
            .iter()
            .map(|row| (row.id, row.clone()))
            .collect(),
        attempts: durable
            .attempts
            .iter()
            .map(|row| (row.id, row.clone()))
            .collect(),
        sessions: durable
            .sessions
            .iter()
            .map(|row| (row.key(), row.clone()))
            .collect(),
        keys: durable
            .keys
            .iter()
            .map(|row| (row.id, row.clone()))
            .collect(),
        idempotency: durable.idempotency.clone(),
        quotas: durable
            .quotas
            .iter()
            .map(|row| (row.of.subject(), row.clone()))
            .collect(),
        quota_levels: durable
            .quota_levels
            .iter()
            .map(|row| (row.subject, *row))
            .collect(),
        pauses: durable.pauses.clone(),
        bulks: durable
            .bulks
            .iter()
            .map(|row| (row.id, row.clone()))
            .collect(),
    }
}

pub(super) fn commit(epoch: u64, commit_seq: u64, mutations: Vec<Mutation>) -> Commit {
    Commit {
        epoch: Epoch(epoch),
        commit_seq,
        at: WallMs(0),
        mutations,
        payloads: HashMap::new(),
        events: Vec::new(),
    }
}

pub(super) fn applied(commit: &Commit) -> Sight<'_> {
    static NOTHING: std::sync::LazyLock<Loaded> = std::sync::LazyLock::new(Loaded::default);
    Sight::Applied {
        at: 0,
        daemon: 0,
        commit,
        durable: &NOTHING,
    }
}

pub(super) fn answer(reply: &Result<Reply, OwnerUnavailable>) -> Sight<'_> {
    Sight::Answer {
        daemon: 0,
        asked: Asked::Create(TaskId(1)),
        reply,
    }
}

/// A machine with one slot, and a checker that looks at it after every step.
pub(super) struct Bench<'a> {
    machine: Machine,
    checker: &'a mut dyn Checker,
    now: Now,
    /// How far the wall clock that the machine is told is ahead.
    ahead_ms: u64,
    next: u64,
}

struct Zero;

impl Entropy for Zero {
    fn draw(&mut self, _: Stream) -> u64 {
        0
    }
}

impl<'a> Bench<'a> {
    /// `ageing_ms` is what the machine is told; the checker has its own from the setup.
    pub(super) fn new(setup: &Setup, ageing_ms: u64, checker: &'a mut dyn Checker) -> Self {
        let mut bench = Self::recovered(setup, ageing_ms, checker, Loaded::default());
        bench.step(replica_ready(setup)).unwrap();
        bench
    }

    /// The same with what a store holds, and nothing is heard of a replica yet.
    fn recovered(
        setup: &Setup,
        ageing_ms: u64,
        checker: &'a mut dyn Checker,
        loaded: Loaded,
    ) -> Self {
        let mut config = setup.machine.clone();
        config.ageing_ms = ageing_ms;
        let now = Now {
            mono: MonoMs(10),
            wall: WallMs(10),
        };
        let term = Sight::Term {
            daemon: 0,
            life: 1,
            now,
            loaded: &loaded,
        };
        checker.see(&term, &Book::default()).unwrap();
        let recovered = Recovered {
            accept_seq: loaded.accept_seq,
            tasks: loaded.tasks,
            ..Recovered::default()
        };
        Self {
            machine: Machine::recover(config, now, recovered),
            checker,
            now,
            ahead_ms: 0,
            next: 0,
        }
    }

    fn step(&mut self, input: Input) -> Result<(), String> {
        self.tell(input);
        self.look()
    }

    fn tell(&mut self, input: Input) {
        self.machine.step(self.now, &mut Zero, input);
        while self.machine.poll().is_some() {}
    }

    fn look(&mut self) -> Result<(), String> {
        let wall = WallMs(self.now.wall.0 - self.ahead_ms);
        self.checker.see(&Sight::Clock { wall }, &Book::default())?;
        let look = Sight::Machine {
            daemon: 0,
            life: 1,
            now: self.now,
            machine: &self.machine,
            quiet: true,
        };
        self.checker.see(&look, &Book::default())
    }

    /// A task comes that is to run thirty seconds later, and the machine's wall clock is so far ahead.
    pub(super) fn one_runs_later(mut self, ahead_ms: u64) -> Result<(), String> {
        self.ahead_ms = ahead_ms;
        self.now.wall = WallMs(1_000_000 + ahead_ms);
        self.submit_at(ClassName::INTERACTIVE, None, Some(WallMs(1_030_000)))
    }

    /// A task comes, with or without a deadline.
    fn submit(&mut self, priority: ClassName, deadline_ms: Option<u64>) -> Result<(), String> {
        self.submit_at(priority, deadline_ms, None)
    }

    /// A task comes that asks for a model.
    fn submit_for(&mut self, model: Option<ModelRef>) -> Result<(), String> {
        let mut row = self.newcomer(ClassName::BATCH);
        row.spec.model_ref = model;
        self.hand_over(row)
    }

    /// The same, and it may be for later.
    fn submit_at(
        &mut self,
        priority: ClassName,
        deadline_ms: Option<u64>,
        run_at: Option<WallMs>,
    ) -> Result<(), String> {
        let mut row = self.newcomer(priority);
        row.spec.deadline_ms = deadline_ms;
        row.spec.run_at = run_at;
        self.hand_over(row)
    }

    fn newcomer(&mut self, priority: ClassName) -> TaskRecord {
        self.next += 1;
        let mut row = task(self.next, TaskState::Queued);
        row.spec.priority = priority;
        row.spec.deadline_ms = None;
        row.spec.run_at = None;
        runs_anywhere(&mut row);
        row
    }

    fn hand_over(&mut self, row: TaskRecord) -> Result<(), String> {
        let create = Box::new(TaskCreate {
            id: row.id,
            fresh: false,
            tenant: row.tenant,
            project: row.project,
            created_by: row.created_by,
            fingerprint: row.fingerprint,
            key: None,
            spec: row.spec,
            budget: None,
            body: PayloadRef(0),
        });
        let ask = Ask::TaskCreate { create, cold: None };
        let reply = ReplyToken(self.next);
        self.step(Input::Command(Command { reply, ask }))
    }

    /// Time passes.
    pub(super) fn pass(&mut self, ms: u64) {
        self.now.mono = self.now.mono + ms;
        self.now.wall = self.now.wall + ms;
    }

    /// The task that runs has its end, so that the slot goes to the next.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        let attempt = self
            .machine
            .records()
            .find_map(|row| row.attempt.as_ref().map(|head| head.id))
            .unwrap();
        let end = AttemptEnd::Finished {
            finish: FinishReason::Stop,
            tokens_in: 1,
            tokens_out: 0,
            decode_ms: 0,
            first_token_ms: None,
            text: PayloadRef(0),
        };
        self.step(Input::Report(Report::AttemptEnded { attempt, end }))
    }

    /// A task waits beyond the bound, one with a deadline comes, and the slot comes free.
    pub(super) fn an_old_one_waits(mut self) -> Result<(), String> {
        self.submit(ClassName::BATCH, None)?;
        self.submit(ClassName::BATCH, None)?;
        self.pass(60_000);
        self.submit(ClassName::BATCH, Some(30_000))?;
        self.finish()
    }

    /// One of the first model runs, one of the other waits, and then another one of the first, and the process comes
    /// free.
    pub(super) fn models_take_turns(
        setup: &Setup,
        checker: &'a mut dyn Checker,
    ) -> Result<(), String> {
        let mut bench = Self::new(setup, setup.machine.ageing_ms, checker);
        let mut other = facts(&setup.replicas[1], 1);
        other.slots = 1;
        let other = Box::new(other);
        bench.step(Input::Report(Report::ReplicaReady { facts: other }))?;
        for replica in [0, 1, 0] {
            let model = setup.replicas[replica].model.clone();
            bench.submit_for(Some(model))?;
        }
        bench.finish()
    }

    /// The oldest task is bound to a set that is not there yet, so that the slot goes to the other; then every
    /// replica that could be of that set is down, the oldest may run anywhere, and only now somebody looks.
    pub(super) fn one_is_let_go_after_a_dispatch(
        setup: &Setup,
        checker: &'a mut dyn Checker,
    ) -> Result<(), String> {
        let mut bound = task(1, TaskState::Queued);
        runs_anywhere(&mut bound);
        bound.spec.run_at = None;
        let mut other = bound.clone();
        (other.id, other.seq) = (TaskId(2), AcceptSeq(2));
        let mut gone = facts(&setup.replicas[0], 1);
        gone.engine_version.push_str("-gone");
        bound.replica_set = Some(gone.set_key());
        let rows = vec![bound, other];
        let ageing_ms = setup.machine.ageing_ms;
        let mut bench = Self::recovered(setup, ageing_ms, checker, loaded(rows));
        bench.tell(replica_ready(setup));
        let others = setup.replicas.iter().skip(1);
        for replica in others.map(|other| other.name.clone()) {
            let detail = String::new();
            bench.tell(Input::Report(Report::ReplicaDown { replica, detail }));
        }
        let waiting = |row: &&TaskRecord| row.state == TaskState::Queued;
        let waits: Vec<_> = bench.machine.records().filter(waiting).collect();
        assert_eq!(waits.len(), 1);
        assert_eq!((waits[0].id, waits[0].replica_set), (TaskId(1), None));
        bench.look()
    }
}

/// The first replica takes work, one task at a time.
fn replica_ready(setup: &Setup) -> Input {
    let mut facts = facts(&setup.replicas[0], 1);
    facts.slots = 1;
    let facts = Box::new(facts);
    Input::Report(Report::ReplicaReady { facts })
}

fn runs_anywhere(row: &mut TaskRecord) {
    row.spec.model_ref = None;
    row.spec.engine = None;
    row.spec.ctx = None;
    row.spec.prompt.tokens_least = 1;
}
