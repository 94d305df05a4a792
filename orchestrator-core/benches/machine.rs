//! What one more task costs the machine: with few and with a million in the queue, and with few and many replicas.
//!
//! `cargo bench -p orchestrator-core`. A turn is what a steady load does: one attempt ends, the next task takes its
//! slot, and one more task is accepted. Times are of whole turns, everything that comes out taken and dropped.

use std::collections::VecDeque;

use orchestrator_core::effect::Effect;
use orchestrator_core::id::{
    AttemptId, Digest, ModelRef, PayloadRef, PoolName, PrincipalId, ProjectId, ReplicaName,
    ReplyToken, TaskId, TenantId,
};
use orchestrator_core::input::{Ask, AttemptEnd, Command, Input, Report, TaskCreate};
use orchestrator_core::machine::{Machine, MachineConfig, Output};
use orchestrator_core::placement::ReplicaFacts;
use orchestrator_core::task::{FinishReason, TaskSpec};
use orchestrator_core::time::{MonoMs, Now, WallMs};

// What pools, replicas and tasks look like is said once; not all of it is of use here.
#[path = "../tests/it/model_store.rs"]
mod model_store;
#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/rig.rs"]
mod rig;

/// Tenants that share the queue.
const TENANTS: u128 = 8;

fn main() {
    divan::main();
}

/// A machine under a steady load.
struct Load {
    machine: Machine,
    now: Now,
    entropy: rig::Seeded,
    accepted: u64,
    ended: u64,
    running: VecDeque<AttemptId>,
    models: Vec<ModelRef>,
}

impl Load {
    /// With every slot taken, and so many tasks in the queue.
    fn new(replicas: u32, slots: u32, queued: u64) -> Self {
        Self::of(rig::one_pool(replicas), replicas, slots, queued)
    }

    /// The same with two pools, whose models take turns in so many processes.
    fn shared(processes: u32, slots: u32, queued: u64) -> Self {
        let mut config = rig::one_pool(processes);
        let mut other = config.pools[0].clone();
        other.name = PoolName::new("other");
        other.model_ref = ModelRef::new("other");
        for replica in &mut other.replicas {
            replica.name = ReplicaName::new(format!("other-{}", replica.name));
        }
        config.pools.push(other);
        Self::of(config, processes, slots, queued)
    }

    fn of(mut config: MachineConfig, processes: u32, slots: u32, queued: u64) -> Self {
        config.classes[0].capacity = u32::MAX;
        config.lease_ttl_ms = u64::MAX / 4;
        let pools = config.pools.clone();
        let mut load = Self {
            machine: Machine::new(config),
            now: Now {
                mono: MonoMs(1_000_000_000),
                wall: WallMs(1_700_000_000_000),
            },
            entropy: rig::Seeded::default(),
            accepted: 0,
            ended: 0,
            running: VecDeque::new(),
            models: Vec::new(),
        };
        for pool in &pools {
            for replica in &pool.replicas {
                let facts = ReplicaFacts {
                    name: replica.name.clone(),
                    pool: pool.name.clone(),
                    model_ref: pool.model_ref.clone(),
                    ..rig::facts("default-0", slots)
                };
                let facts = Box::new(facts);
                load.step(Input::Report(Report::ReplicaReady { facts }));
            }
        }
        load.models = pools.into_iter().map(|pool| pool.model_ref).collect();
        let running = u64::from(processes) * u64::from(slots);
        for _ in 0..running + queued {
            load.accept();
        }
        let most = if load.models.len() == 1 { running } else { 1 };
        assert!(load.running.len() as u64 >= most);
        load
    }

    /// Steps until there is nothing left to do now.
    fn step(&mut self, input: Input) {
        let mut input = Some(input);
        while let Some(next) = input {
            self.machine.step(self.now, &mut self.entropy, next);
            while let Some(output) = self.machine.poll() {
                if let Output::Effect(Effect::AttemptStart(order)) = divan::black_box(output) {
                    self.running.push_back(order.attempt);
                }
            }
            let due = self.machine.next_wake();
            input = due
                .is_some_and(|at| at <= self.now.mono)
                .then_some(Input::Tick);
        }
    }

    fn accept(&mut self) {
        // Of tasks alone, so that the tenants come in turns, now and in every load before it.
        self.accepted += 1;
        let id = self.accepted;
        let reply = ReplyToken(id);
        let create = TaskCreate {
            id: TaskId(u128::from(id)),
            key: None,
            fresh: true,
            tenant: TenantId(u128::from(id) % TENANTS),
            project: ProjectId::DEFAULT,
            created_by: PrincipalId::SYSTEM,
            fingerprint: Digest([0; 32]),
            spec: TaskSpec {
                model_ref: self
                    .models
                    .get(id as usize / 8 % self.models.len())
                    .cloned(),
                ..rig::spec()
            },
            budget: None,
            body: PayloadRef(id),
        };
        let ask = Ask::TaskCreate {
            create: Box::new(create),
            cold: None,
        };
        self.step(Input::Command(Command { reply, ask }));
    }

    fn finish(&mut self) {
        let attempt = self.running.pop_front().expect("every slot is taken");
        self.ended += 1;
        let end = AttemptEnd::Finished {
            finish: FinishReason::Stop,
            tokens_in: 10,
            tokens_out: 20,
            decode_ms: 1,
            first_token_ms: Some(1),
            text: PayloadRef(self.ended),
        };
        self.step(Input::Report(Report::AttemptEnded { attempt, end }));
    }

    fn turn(&mut self) {
        self.now.mono = self.now.mono + 1;
        self.now.wall = self.now.wall + 1;
        self.finish();
        self.accept();
    }
}

/// A turn with so many tasks in the queue.
#[divan::bench(args = [1_000, 100_000, 1_000_000], sample_count = 200, sample_size = 50)]
fn queued(bencher: divan::Bencher<'_, '_>, queued: u64) {
    let mut load = Load::new(1, 4, queued);
    bencher.bench_local(|| load.turn());
}

/// A turn that places a task on one of so many replicas with four slots each, one of which is free.
#[divan::bench(args = [1, 10, 100, 1_000], sample_count = 200, sample_size = 50)]
fn placed(bencher: divan::Bencher<'_, '_>, replicas: u32) {
    let mut load = Load::new(replicas, 4, 100);
    bencher.bench_local(|| load.turn());
}

/// A turn with two models that take turns in so many processes with four slots each.
#[divan::bench(args = [1, 10, 100], sample_count = 200, sample_size = 50)]
fn shared(bencher: divan::Bencher<'_, '_>, processes: u32) {
    let mut load = Load::shared(processes, 4, 1_000);
    bencher.bench_local(|| load.turn());
}
