//! A machine with a model store, driven as the contract says, and judged after every step.

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::effect::{AttemptOrder, Effect};
use orchestrator_core::entropy::{Entropy, Stream};
use orchestrator_core::id::{
    Digest, Epoch, ModelRef, PayloadRef, PoolName, PrincipalId, ProjectId, ReplicaName, ReplyToken,
    SessionId, SessionKey, TaskId, TenantId,
};
use orchestrator_core::idempotency::IdempotencyKey;
use orchestrator_core::input::{Ask, AttemptEnd, Command, Input, Report, TaskCreate};
use orchestrator_core::machine::{MUTATIONS_PER_STEP_MAX, Machine, MachineConfig, Output};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::placement::{PoolConfig, ReplicaConfig, ReplicaFacts};
use orchestrator_core::queue::{ClassConfig, ClassName};
use orchestrator_core::reply::Reply;
use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::{
    Engine, FinishReason, InputKind, PROFILE_V1, PromptFacts, TaskFault, TaskRecord, TaskSpec,
    TaskState,
};
use orchestrator_core::time::{MonoMs, Now, WallMs};

use crate::model_store::ModelStore;

/// Splitmix64, one counter for each stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seeded(BTreeMap<Stream, u64>);

impl Entropy for Seeded {
    fn draw(&mut self, stream: Stream) -> u64 {
        let counter = self.0.entry(stream).or_default();
        *counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *counter;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What came out of one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Out {
    pub(crate) mutations: Vec<Mutation>,
    pub(crate) replies: Vec<(ReplyToken, Reply)>,
    pub(crate) effects: Vec<Effect>,
}

impl Out {
    /// The orders to start an attempt.
    pub(crate) fn starts(&self) -> Vec<AttemptOrder> {
        let order = |effect: &Effect| match effect {
            Effect::AttemptStart(order) => Some((**order).clone()),
            _ => None,
        };
        self.effects.iter().filter_map(order).collect()
    }

    /// The one reply of the step.
    pub(crate) fn reply(&self) -> &Reply {
        assert_eq!(self.replies.len(), 1, "{self:?}");
        &self.replies[0].1
    }
}

/// The wall clock at first.
pub(crate) const BEGINNING: WallMs = WallMs(1_700_000_000_000);

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Rig {
    pub(crate) machine: Machine,
    pub(crate) store: ModelStore,
    pub(crate) now: Now,
    pub(crate) epoch: Epoch,
    /// Commands that were not answered yet.
    pub(crate) unanswered: BTreeSet<ReplyToken>,
    /// Tasks whose end was told.
    pub(crate) ended: BTreeSet<TaskId>,
    /// The idempotency key of the next task that is handed over.
    pub(crate) key: Option<IdempotencyKey>,
    /// The latest that the wall clock has shown.
    wall_max: WallMs,
    entropy: Seeded,
    minted: u64,
}

/// One pool `default` with `replicas` replicas.
pub(crate) fn one_pool(replicas: u32) -> MachineConfig {
    let replicas = (0..replicas)
        .map(|n| ReplicaConfig::alone(ReplicaName::new(format!("default-{n}"))))
        .collect();
    MachineConfig::for_pools(vec![PoolConfig {
        name: PoolName::new("default"),
        engine: Engine::Embedded,
        model_ref: ModelRef::new("haiku-tiny"),
        kv_bytes_per_token: Some(1_000),
        replicas,
    }])
}

/// What a replica of the pool `default` says, with this many slots.
pub(crate) fn facts(name: &str, slots: u32) -> ReplicaFacts {
    ReplicaFacts {
        name: ReplicaName::new(name),
        pool: PoolName::new("default"),
        engine: Engine::Embedded,
        engine_version: "1".to_owned(),
        model_ref: ModelRef::new("haiku-tiny"),
        model_digest: Digest([7; 32]),
        sampler_profile_version: PROFILE_V1.version.to_owned(),
        ctx: 512,
        slots,
    }
}

/// What a configuration says of the class `interactive`.
pub(crate) fn interactive_of(config: &mut MachineConfig) -> &mut ClassConfig {
    class_of(config, ClassName::INTERACTIVE)
}

/// What a configuration says of the class `batch`.
pub(crate) fn batch_of(config: &mut MachineConfig) -> &mut ClassConfig {
    class_of(config, ClassName::BATCH)
}

fn class_of(config: &mut MachineConfig, name: ClassName) -> &mut ClassConfig {
    let mut classes = config.classes.iter_mut();
    let class = classes.find(|class| class.name == name);
    class.expect("the configuration names it")
}

/// A plain task.
pub(crate) fn spec() -> TaskSpec {
    TaskSpec {
        kind: InputKind::Prompt,
        prompt: PromptFacts {
            digest: Digest([1; 32]),
            bytes: 40,
            tokens_estimate: 10,
            tokens_least: 1,
        },
        model_ref: None,
        engine: None,
        ctx: None,
        max_tokens: PROFILE_V1.max_tokens,
        ignore_eos: PROFILE_V1.ignore_eos,
        sampling: PROFILE_V1.sampling,
        seed: 42,
        determinism: PROFILE_V1.determinism,
        priority: ClassName::INTERACTIVE,
        deadline_ms: None,
        run_at: None,
        session: None,
        on_disconnect: PROFILE_V1.on_disconnect,
    }
}

/// A plain task of class batch.
pub(crate) fn batch() -> TaskSpec {
    TaskSpec {
        priority: ClassName::BATCH,
        ..spec()
    }
}

impl Rig {
    pub(crate) fn new(config: MachineConfig) -> Self {
        let now = Now {
            mono: MonoMs(1_000),
            wall: BEGINNING,
        };
        let store = ModelStore::default();
        let epoch = Epoch(1);
        let machine = Machine::recover(config, now, store.load(epoch));
        Self {
            machine,
            store,
            now,
            epoch,
            unanswered: BTreeSet::new(),
            ended: BTreeSet::new(),
            key: None,
            wall_max: now.wall,
            entropy: Seeded::default(),
            minted: 0,
        }
    }

    /// One pool, one replica that is ready, with this many slots.
    pub(crate) fn ready(slots: u32) -> Self {
        let mut rig = Self::new(one_pool(1));
        rig.replica_ready(facts("default-0", slots));
        rig
    }

    /// Steps, commits, and judges.
    pub(crate) fn step(&mut self, input: Input) -> Out {
        if let Input::Command(command) = &input {
            assert!(self.unanswered.insert(command.reply));
        }
        self.wall_max = self.wall_max.max(self.now.wall);
        self.machine.step(self.now, &mut self.entropy, input);
        let out = self.drain();
        self.judge(&out);
        out
    }

    /// Drains the outputs of one step into the store.
    pub(crate) fn drain(&mut self) -> Out {
        let mut out = Out::default();
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Persist(mutation) => {
                    assert!(
                        out.replies.is_empty() && out.effects.is_empty(),
                        "mutations first"
                    );
                    out.mutations.push(mutation);
                }
                Output::Reply(token, reply) => {
                    assert!(
                        self.unanswered.remove(&token),
                        "{token:?} was answered before"
                    );
                    out.replies.push((token, reply));
                }
                Output::Effect(effect) => out.effects.push(effect),
            }
        }
        self.store.commit(&out.mutations);
        out
    }

    fn judge(&mut self, out: &Out) {
        assert!(out.mutations.len() <= MUTATIONS_PER_STEP_MAX);
        assert_eq!(
            self.store.hard_state(),
            self.machine.hard_state(),
            "store and machine differ"
        );
        let config = self.machine.config().clone();
        let again = Machine::recover(config, self.now, self.store.load(self.epoch));
        assert_eq!(
            again.hard_state(),
            self.machine.hard_state(),
            "recovery loses hard state"
        );
        self.judge_ends(out);
        self.judge_orders(out);
        self.judge_slots();
        self.judge_explanations();
    }

    /// Each end is told once, in the step that makes it durable.
    fn judge_ends(&mut self, out: &Out) {
        for effect in &out.effects {
            if let Effect::TaskEnded {
                task,
                end,
                position,
            } = effect
            {
                assert!(
                    self.ended.insert(*task),
                    "the end of {task} was told before"
                );
                let row = &self.store.tasks[task];
                assert!(row.state.is_final());
                assert_eq!((Some(end), *position), (row.end.as_ref(), row.position));
            }
        }
        let over = self.store.tasks.values().filter(|row| row.state.is_final());
        assert_eq!(over.map(|row| row.id).collect::<BTreeSet<_>>(), self.ended);
        let accepted = self.store.tasks.len();
        assert_eq!(
            accepted,
            self.ended.len() + self.machine.live_count(),
            "a task was lost"
        );
    }

    /// An attempt is started once, in the step that makes it durable, on a task that is not over.
    fn judge_orders(&self, out: &Out) {
        let mut begun: Vec<_> = out.starts().iter().map(|order| order.attempt).collect();
        let mut inserted: Vec<_> = out
            .mutations
            .iter()
            .filter_map(|mutation| match mutation {
                Mutation::AttemptInsert(row) => Some(row.id),
                _ => None,
            })
            .collect();
        begun.sort();
        inserted.sort();
        assert_eq!(begun, inserted);
        for order in out.starts() {
            let row = self
                .machine
                .record(order.task)
                .expect("the task of an order is live");
            assert_eq!(
                row.attempt.as_ref().map(|head| head.id),
                Some(order.attempt)
            );
            assert_eq!(row.position, order.position);
            assert!(row.spec.run_at <= Some(self.wall_max), "runs too early");
            let pools = self.machine.pools();
            let mut replicas = pools.iter().flat_map(|pool| &pool.replicas);
            let replica = replicas
                .find(|one| one.name == order.replica)
                .expect("is configured");
            let taken = self.machine.slots_taken(&order.replica);
            assert!(
                taken <= replica.slots_total,
                "{}: slots oversold",
                order.replica
            );
        }
    }

    fn judge_slots(&self) {
        let live = self.machine.hard_state().attempts;
        for pool in self.machine.pools() {
            for replica in pool.replicas {
                let held = live
                    .values()
                    .filter(|row| row.replica == replica.name)
                    .count();
                assert_eq!(held, self.machine.slots_taken(&replica.name) as usize);
            }
        }
    }

    fn judge_explanations(&self) {
        for row in self.machine.hard_state().tasks.values() {
            let why = self
                .machine
                .explain(self.now, row.id)
                .expect("a live task is explained");
            assert_eq!(why.state, row.state);
            assert!(!why.summary.is_empty());
            match row.state {
                TaskState::Waiting(reason) => {
                    assert_eq!(why.waiting_for, Some(reason));
                    assert!(why.wakes_in_ms.is_some() && why.predicted_start_ms.is_some());
                }
                TaskState::Queued => {
                    assert!(why.queue_position.is_some() && why.predicted_start_ms.is_some());
                    assert!(!why.candidates.is_empty());
                }
                _ => assert_eq!((why.waiting_for, why.queue_position), (None, None)),
            }
        }
    }

    fn mint(&mut self) -> u64 {
        self.minted += 1;
        self.minted
    }

    pub(crate) fn payload(&mut self) -> PayloadRef {
        PayloadRef(self.mint())
    }

    pub(crate) fn ask(&mut self, ask: Ask) -> Out {
        let reply = ReplyToken(self.mint());
        self.step(Input::Command(Command { reply, ask }))
    }

    /// Hands a task over; its fingerprint is a digest of nothing but the spec's seed.
    pub(crate) fn create(&mut self, task: u128, spec: TaskSpec) -> Out {
        self.create_for(TenantId::DEFAULT, task, spec)
    }

    /// The same, of a tenant.
    pub(crate) fn create_for(&mut self, tenant: TenantId, task: u128, spec: TaskSpec) -> Out {
        self.create_by(tenant, PrincipalId::SYSTEM, task, spec)
    }

    /// The same, of a key.
    pub(crate) fn create_by(
        &mut self,
        tenant: TenantId,
        created_by: PrincipalId,
        task: u128,
        spec: TaskSpec,
    ) -> Out {
        self.create_as(tenant, created_by, task, spec, None)
    }

    /// The same, with a budget for its session.
    pub(crate) fn create_within(
        &mut self,
        tenant: TenantId,
        task: u128,
        spec: TaskSpec,
        budget: Option<SessionBudget>,
    ) -> Out {
        self.create_as(tenant, PrincipalId::SYSTEM, task, spec, budget)
    }

    fn create_as(
        &mut self,
        tenant: TenantId,
        created_by: PrincipalId,
        task: u128,
        spec: TaskSpec,
        budget: Option<SessionBudget>,
    ) -> Out {
        let body = self.payload();
        let mut fingerprint = [0; 32];
        fingerprint[..4].copy_from_slice(&spec.seed.to_be_bytes());
        let create = TaskCreate {
            id: TaskId(task),
            fresh: false,
            tenant,
            project: ProjectId::DEFAULT,
            created_by,
            fingerprint: Digest(fingerprint),
            key: self.key.take(),
            spec,
            budget,
            body,
        };
        let answered_by = self.machine.answered_by(&create);
        let cold = answered_by.and_then(|task| self.store.cold(task));
        self.ask(Ask::TaskCreate {
            create: Box::new(create),
            cold,
        })
    }

    pub(crate) fn cancel(&mut self, task: u128) -> Out {
        let task = TaskId(task);
        let cold = self.store.cold(task);
        self.ask(Ask::TaskCancel { task, cold })
    }

    pub(crate) fn requeue(&mut self, task: u128) -> Out {
        let task = TaskId(task);
        let cold = self.store.cold(task);
        self.ask(Ask::TaskRequeue { task, cold })
    }

    pub(crate) fn session_delete(&mut self, session: u128) -> Out {
        self.ask(Ask::SessionDelete {
            session: SessionKey::new(TenantId::DEFAULT, SessionId(session)),
        })
    }

    pub(crate) fn report(&mut self, report: Report) -> Out {
        self.step(Input::Report(report))
    }

    pub(crate) fn replica_ready(&mut self, facts: ReplicaFacts) -> Out {
        self.report(Report::ReplicaReady {
            facts: Box::new(facts),
        })
    }

    pub(crate) fn replica_down(&mut self, name: &str) -> Out {
        let replica = ReplicaName::new(name);
        self.report(Report::ReplicaDown {
            replica,
            detail: "exit status 1".to_owned(),
        })
    }

    pub(crate) fn running(&mut self, order: &AttemptOrder) -> Out {
        self.report(Report::AttemptRunning {
            attempt: order.attempt,
        })
    }

    pub(crate) fn chunk(&mut self, order: &AttemptOrder, from: u64, to: u64) -> Out {
        let chunk = self.payload();
        self.report(Report::AttemptChunk {
            attempt: order.attempt,
            from,
            to,
            chunk,
        })
    }

    pub(crate) fn finished(&mut self, order: &AttemptOrder, finish: FinishReason, n: u64) -> Out {
        let text = self.payload();
        let end = AttemptEnd::Finished {
            finish,
            tokens_in: 10,
            tokens_out: n,
            decode_ms: n,
            first_token_ms: Some(5),
            text,
        };
        self.report(Report::AttemptEnded {
            attempt: order.attempt,
            end,
        })
    }

    pub(crate) fn failed(&mut self, order: &AttemptOrder, fault: TaskFault) -> Out {
        let end = AttemptEnd::Failed {
            fault,
            detail: "it broke".to_owned(),
        };
        self.report(Report::AttemptEnded {
            attempt: order.attempt,
            end,
        })
    }

    /// Lets time pass on both clocks, without a tick.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now.mono = self.now.mono + ms;
        self.now.wall = self.now.wall + ms;
    }

    /// Lets time pass, waking the machine whenever it asks for it; everything that came out.
    pub(crate) fn advance(&mut self, ms: u64) -> Out {
        let until = self.now.mono + ms;
        let mut all = Out::default();
        while let Some(wake) = self.machine.next_wake().filter(|wake| *wake <= until) {
            let ahead = wake - self.now.mono;
            self.pass(ahead);
            let out = self.step(Input::Tick);
            all.mutations.extend(out.mutations);
            all.replies.extend(out.replies);
            all.effects.extend(out.effects);
        }
        let rest = until - self.now.mono;
        self.pass(rest);
        all
    }

    /// The daemon dies and another one takes over: what waited for an answer is gone.
    pub(crate) fn restart(&mut self) -> Out {
        self.restart_with(self.machine.config().clone())
    }

    /// The same, with another configuration.
    pub(crate) fn restart_with(&mut self, config: MachineConfig) -> Out {
        self.epoch.0 += 1;
        self.machine = Machine::recover(config, self.now, self.store.load(self.epoch));
        self.unanswered.clear();
        let out = self.drain();
        assert!(
            out.mutations.is_empty(),
            "recovery itself changes nothing durable"
        );
        out
    }

    pub(crate) fn row(&self, task: u128) -> &TaskRecord {
        &self.store.tasks[&TaskId(task)]
    }

    pub(crate) fn state(&self, task: u128) -> TaskState {
        self.row(task).state
    }
}
