//! A machine without a store, with a fleet of one replica or of several in processes that they share.

use std::collections::BTreeMap;

use orchestrator_core::effect::Effect;
use orchestrator_core::id::{
    AttemptId, Digest, ModelRef, PayloadRef, PoolName, PrincipalId, ProcessName, ProjectId,
    ReplicaName, ReplyToken, TaskId, TenantId,
};
use orchestrator_core::input::{Ask, AttemptEnd, Command, Input, Report, TaskCreate};
use orchestrator_core::machine::{Machine, MachineConfig, Output};
use orchestrator_core::placement::{PoolConfig, ReplicaConfig, ReplicaFacts};
use orchestrator_core::queue::ClassName;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskSpec};
use orchestrator_core::time::{MonoMs, Now, WallMs};

use crate::rig::{Seeded, facts, one_pool, spec};

/// A machine without a store: what is started and what ends.
pub(crate) struct Stage {
    pub(crate) machine: Machine,
    pub(crate) now: Now,
    entropy: Seeded,
    minted: u64,
    /// Attempts under way, by task.
    pub(crate) running: BTreeMap<u128, AttemptId>,
    /// Where each task was started last.
    pub(crate) places: BTreeMap<u128, ReplicaName>,
    pub(crate) refused: u64,
    /// Attempts for which a process had to change its model.
    pub(crate) model_changes: u64,
}

impl Stage {
    /// With one replica, which is ready.
    pub(crate) fn new(config: MachineConfig, slots: u32) -> Self {
        let mut stage = Self::cold(config);
        stage.ready(facts("default-0", slots));
        stage
    }

    /// With no replica ready yet.
    pub(crate) fn cold(mut config: MachineConfig) -> Self {
        for class in &mut config.classes {
            class.capacity = 1_000_000;
        }
        config.lease_ttl_ms = u64::MAX / 4;
        Self {
            machine: Machine::new(config),
            now: Now {
                mono: MonoMs(1_000_000_000),
                wall: WallMs(1_700_000_000_000),
            },
            entropy: Seeded::default(),
            minted: 0,
            running: BTreeMap::new(),
            places: BTreeMap::new(),
            refused: 0,
            model_changes: 0,
        }
    }

    pub(crate) fn ready(&mut self, facts: ReplicaFacts) -> Vec<u128> {
        let facts = Box::new(facts);
        self.step(Input::Report(Report::ReplicaReady { facts }))
    }

    pub(crate) fn down(&mut self, replica: &str) -> Vec<u128> {
        self.step(Input::Report(Report::ReplicaDown {
            replica: ReplicaName::new(replica),
            detail: "as planned".to_owned(),
        }))
    }

    fn mint(&mut self) -> u64 {
        self.minted += 1;
        self.minted
    }

    /// Steps until there is nothing left to do now; the tasks that were started, in order.
    fn step(&mut self, input: Input) -> Vec<u128> {
        let mut started = Vec::new();
        let mut input = Some(input);
        while let Some(next) = input {
            self.machine.step(self.now, &mut self.entropy, next);
            while let Some(output) = self.machine.poll() {
                match output {
                    Output::Effect(Effect::AttemptStart(order)) => {
                        started.push(order.task.0);
                        self.running.insert(order.task.0, order.attempt);
                        self.model_changes += u64::from(order.changes_model);
                        self.places.insert(order.task.0, order.replica);
                    }
                    Output::Reply(_, Reply::TaskRefused(_)) => self.refused += 1,
                    _ => {}
                }
            }
            let due = self
                .machine
                .next_wake()
                .is_some_and(|at| at <= self.now.mono);
            input = due.then_some(Input::Tick);
        }
        started
    }

    fn ask(&mut self, ask: Ask) -> Vec<u128> {
        let reply = ReplyToken(self.mint());
        self.step(Input::Command(Command { reply, ask }))
    }

    pub(crate) fn create(&mut self, tenant: u128, task: u128, spec: TaskSpec) -> Vec<u128> {
        let body = PayloadRef(self.mint());
        let create = TaskCreate {
            id: TaskId(task),
            fresh: true,
            tenant: TenantId(tenant),
            project: ProjectId::DEFAULT,
            created_by: PrincipalId::SYSTEM,
            fingerprint: Digest([0; 32]),
            key: None,
            spec,
            budget: None,
            body,
        };
        self.ask(Ask::TaskCreate {
            create: Box::new(create),
            cold: None,
        })
    }

    pub(crate) fn cancel(&mut self, task: u128) -> Vec<u128> {
        let task = TaskId(task);
        self.ask(Ask::TaskCancel { task, cold: None })
    }

    pub(crate) fn finish(&mut self, task: u128, tokens_out: u64) -> Vec<u128> {
        let text = PayloadRef(self.mint());
        let attempt = self.running.remove(&task).expect("it runs");
        self.step(Input::Report(Report::AttemptEnded {
            attempt,
            end: AttemptEnd::Finished {
                finish: FinishReason::Stop,
                tokens_in: TOKENS_IN,
                tokens_out,
                decode_ms: 1,
                first_token_ms: Some(1),
                text,
            },
        }))
    }

    pub(crate) fn pass(&mut self, ms: u64) -> Vec<u128> {
        self.now.mono = self.now.mono + ms;
        self.now.wall = self.now.wall + ms;
        self.step(Input::Tick)
    }
}

/// Tokens of every prompt, as estimated and as counted.
pub(crate) const TOKENS_IN: u64 = 10;

pub(crate) fn wanting(priority: ClassName, max_tokens: u32, deadline_ms: Option<u64>) -> TaskSpec {
    TaskSpec {
        priority,
        max_tokens,
        deadline_ms,
        ..spec()
    }
}

/// So many pools, each with a model and a replica in each of some processes, which have so many slots.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) models: usize,
    pub(crate) slots: Vec<usize>,
    pub(crate) passed_max: u32,
}

pub(crate) fn model(model: usize) -> ModelRef {
    ModelRef::new(format!("model-{model}"))
}

impl Shared {
    pub(crate) fn replica(model: usize, process: usize) -> String {
        format!("replica-{model}-{process}")
    }

    pub(crate) fn config(&self) -> MachineConfig {
        let mut config = one_pool(1);
        let template = config.pools.remove(0);
        let pools = (0..self.models).map(|number| PoolConfig {
            name: PoolName::new(format!("pool-{number}")),
            model_ref: model(number),
            replicas: (0..self.slots.len())
                .map(|process| ReplicaConfig {
                    name: ReplicaName::new(Self::replica(number, process)),
                    process: ProcessName::new(format!("process-{process}")),
                })
                .collect(),
            ..template.clone()
        });
        config.pools = pools.collect();
        config.policy.model_run_tokens_max = self.passed_max;
        config
    }

    /// What the replica of a model in a process says.
    pub(crate) fn facts(&self, number: usize, process: usize) -> ReplicaFacts {
        let slots = u32::try_from(self.slots[process]).expect("is small");
        ReplicaFacts {
            pool: PoolName::new(format!("pool-{number}")),
            model_ref: model(number),
            ..facts(&Self::replica(number, process), slots)
        }
    }

    pub(crate) fn all_facts(&self) -> impl Iterator<Item = ReplicaFacts> {
        let models = 0..self.models;
        models.flat_map(move |number| (0..self.slots.len()).map(move |at| self.facts(number, at)))
    }

    pub(crate) fn stage(&self, config: MachineConfig) -> Stage {
        let mut stage = Stage::cold(config);
        for facts in self.all_facts() {
            stage.ready(facts);
        }
        stage
    }
}
