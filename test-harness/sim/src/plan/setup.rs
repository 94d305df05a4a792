//! How the deployment is set up: small, so that limits are reached.

use orchestrator_core::attempt::RetryLimits;
use orchestrator_core::id::{ModelRef, PoolName, ProcessName, ReplicaName};
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::placement::{Policy, PoolConfig, ReplicaConfig};
use orchestrator_core::queue::{ClassConfig, ClassName, FullPolicy};
use orchestrator_core::task::Engine;
use orchestratord::owner::OwnerLimits;

use crate::agenda::{MILLI, Micros};
use crate::chance::Chance;
use std::collections::BTreeMap;

/// One replica as it really is.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaSetup {
    /// Its name.
    pub name: ReplicaName,
    /// The engine process that it lives in.
    pub process: ProcessName,
    /// Its pool.
    pub pool: PoolName,
    /// Kind of engine.
    pub engine: Engine,
    /// Name of the model.
    pub model: ModelRef,
    /// Version of the engine, at first.
    pub version: u32,
    /// Generations that it takes at once.
    pub slots: u32,
    /// Context window in tokens.
    pub ctx: u32,
}

/// One daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaemonSetup {
    /// How much faster its monotonic clock runs, in millionths.
    pub drift_ppm: i64,
    /// How far its wall clock is off, in milliseconds.
    pub wall_off_ms: i64,
    /// True if it is there from the beginning; else it is started when it is to take over.
    pub from_start: bool,
}

/// How long things take, from and to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// A message between client and daemon.
    pub net: (Micros, Micros),
    /// One way between daemon and store.
    pub store: (Micros, Micros),
    /// One token.
    pub token: (Micros, Micros),
    /// How long an engine may be silent before its client gives up.
    pub idle: Micros,
    /// How long a client waits for an answer.
    pub patience: Micros,
}

/// The deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// What the machine is configured with.
    pub machine: MachineConfig,
    /// Bounds of the owner.
    pub limits: OwnerLimits,
    /// Every replica.
    pub replicas: Vec<ReplicaSetup>,
    /// Every daemon. The store belongs to one at a time.
    pub daemons: Vec<DaemonSetup>,
    /// Number of clients.
    pub clients: usize,
    /// How long things take.
    pub pace: Pace,
    /// True if no idempotency key is forgotten in a run.
    pub keys_last: bool,
    /// A class that the configuration of the second daemon does not name.
    pub unnamed: Option<ClassName>,
    /// Most tasks that are handed over together.
    pub together_max: usize,
}

impl Setup {
    pub(super) fn draw(chance: &mut Chance) -> Self {
        let replicas = replicas(chance);
        let machine = machine(chance, &replicas);
        Self {
            limits: limits(chance),
            daemons: daemons(chance),
            clients: 1 + chance.index(4),
            pace: Pace {
                net: (100, chance.pick(&[500, 5_000, 40_000])),
                store: (50, chance.pick(&[300, 3_000, 20_000])),
                token: (500, chance.pick(&[2_000, 20_000, 150_000])),
                idle: chance.within((3_000, 20_000)) * MILLI,
                patience: chance.within((1_000, 8_000)) * MILLI,
            },
            keys_last: true,
            unnamed: None,
            together_max: 1,
            replicas,
            machine,
        }
    }

    /// Draws on which terms tasks wait.
    pub(super) fn draw_terms(&mut self, chance: &mut Chance) {
        let machine = &mut self.machine;
        if chance.percent(30) {
            machine.classes[0].full = FullPolicy::ShedLowPriority;
        }
        machine.deadline_confidence_permille = chance.pick(&[1, 500, 950]);
        machine.classes[0].weight = chance.pick(&[1, 2, 8]);
    }

    /// Draws how many may wait for their time, for how long keys are known, and whether tasks are given up soon.
    pub(super) fn draw_later(&mut self, chance: &mut Chance) {
        let machine = &mut self.machine;
        machine.scheduled_max = chance.pick(&[1, 2, 8, 10_000]);
        self.keys_last = chance.percent(75);
        if !self.keys_last {
            machine.idempotency_retention_ms = chance.within((500, 8_000));
            machine.idempotency_keys_max = chance.pick(&[1, 3, 1_000]);
        }
        if chance.percent(15) {
            machine.retry.interruptions = 1;
        }
    }

    /// The classes that a daemon's configuration names.
    pub(crate) fn classes_of(&self, daemon: usize) -> impl Iterator<Item = &ClassConfig> {
        let unnamed = self.unnamed.filter(|_| daemon > 0);
        let classes = self.machine.classes.iter();
        classes.filter(move |class| Some(class.name) != unnamed)
    }

    /// What the machine of a daemon is configured with.
    pub(crate) fn machine_of(&self, daemon: usize) -> MachineConfig {
        MachineConfig {
            classes: self.classes_of(daemon).copied().collect(),
            ..self.machine.clone()
        }
    }

    /// The bands of the classes, for each daemon.
    pub(crate) fn bands(&self) -> Vec<Bands> {
        let daemons = 0..self.daemons.len();
        let bands = |class: &ClassConfig| (class.name, class.band);
        daemons
            .map(|daemon| Bands(self.classes_of(daemon).map(bands).collect()))
            .collect()
    }

    /// The pools, each with its replicas, as they were configured.
    #[must_use]
    pub fn pools(&self) -> &[PoolConfig] {
        &self.machine.pools
    }
}

/// In which band the tasks of each class stand before they are due. A lower one goes first.
#[derive(Clone, Debug)]
pub(crate) struct Bands(BTreeMap<ClassName, u32>);

impl Bands {
    /// Where a task of a class stands: in the last band if that is not named.
    pub(crate) fn of(&self, class: ClassName, is_due: bool) -> u32 {
        let bands = || self.0.values().copied();
        let own = self.0.get(&class).copied().or(bands().max());
        let stands = if is_due { bands().min() } else { own };
        stands.unwrap_or(0)
    }

    /// Do its tasks stand in the first band, whether they are due or not?
    pub(crate) fn is_first(&self, class: ClassName) -> bool {
        self.of(class, false) == self.of(class, true)
    }
}

fn replicas(chance: &mut Chance) -> Vec<ReplicaSetup> {
    let models = 1 + chance.index(2);
    let mut replicas = Vec::new();
    for pool in 0..1 + chance.index(3) {
        let engine = chance.pick(&[Engine::Embedded, Engine::Embedded, Engine::Llamacpp]);
        let model = ModelRef::new(format!("model-{}", chance.index(models)));
        let ctx = chance.pick(&[256, 512, 1_024]);
        for number in 0..1 + chance.index(2) {
            replicas.push(ReplicaSetup {
                name: ReplicaName::new(format!("pool-{pool}-{number}")),
                process: ProcessName::new(format!("pool-{pool}-{number}")),
                pool: PoolName::new(format!("pool-{pool}")),
                engine,
                model: model.clone(),
                version: 1,
                slots: 1 + u32::try_from(chance.index(3)).unwrap_or(0),
                ctx,
            });
        }
    }
    replicas
}

/// The pools that replicas are of, as a machine is configured with them.
pub(super) fn pools_of(replicas: &[ReplicaSetup]) -> Vec<PoolConfig> {
    let mut pools: Vec<PoolConfig> = Vec::new();
    for replica in replicas {
        let own = ReplicaConfig {
            name: replica.name.clone(),
            process: replica.process.clone(),
        };
        match pools.iter_mut().find(|pool| pool.name == replica.pool) {
            Some(pool) => pool.replicas.push(own),
            None => pools.push(PoolConfig {
                name: replica.pool.clone(),
                engine: replica.engine,
                model_ref: replica.model.clone(),
                kv_bytes_per_token: None,
                replicas: vec![own],
            }),
        }
    }
    pools
}

fn machine(chance: &mut Chance, replicas: &[ReplicaSetup]) -> MachineConfig {
    let small = [1, 2, 3, 5, 8];
    let policies = [FullPolicy::Reject, FullPolicy::DropLru];
    MachineConfig {
        classes: [ClassConfig::interactive(), ClassConfig::batch()]
            .map(|class| ClassConfig {
                capacity: chance.pick(&small),
                full: chance.pick(&policies),
                ..class
            })
            .into(),
        ageing_ms: chance.within((200, 6_000)),
        policy: Policy {
            session_affinity: chance.percent(70),
            ..Policy::default()
        },
        lease_ttl_ms: chance.within((12_000, 20_000)),
        retry: RetryLimits {
            failures: u32::try_from(chance.within((1, 3))).unwrap_or(1),
            interruptions: u32::try_from(chance.within((1, 5))).unwrap_or(1),
            backoff_base_ms: chance.within((10, 400)),
            backoff_cap_ms: chance.within((400, 4_000)),
        },
        session_ttl_ms: chance.within((1_000, 20_000)),
        session_turns_max: u32::try_from(chance.within((1, 4))).unwrap_or(1),
        cancel_confirm_ms: chance.within((20, 3_000)),
        disconnect_grace_ms: chance.within((50, 3_000)),
        service_guess_ms: chance.within((100, 5_000)),
        attachable: chance.percent(30),
        ..MachineConfig::for_pools(pools_of(replicas))
    }
}

fn limits(chance: &mut Chance) -> OwnerLimits {
    OwnerLimits {
        batch_inputs: chance.pick(&[1, 2, 4, 16, 512]),
        batch_mutations: chance.pick(&[1, 8, 64, 2_048]),
        batch_bytes: chance.pick(&[64, 8 << 20]),
        batch_commands_least: chance.pick(&[0, 1, 4]),
        command_lane: chance.pick(&[1, 2, 8, 64]),
        cancel_lane: chance.pick(&[1, 2, 8]),
        report_lane: chance.pick(&[1, 2, 8, 64]),
        store_tries: u32::try_from(chance.within((1, 5))).unwrap_or(1),
        store_pause_ms: chance.within((1, 50)),
        store_pause_max_ms: chance.within((50, 1_000)),
        recovery_pause_ms: chance.within((5, 200)),
        recovery_pause_max_ms: chance.within((200, 3_000)),
        retry_after_ms: chance.within((50, 1_000)),
        ..OwnerLimits::default()
    }
}

fn daemons(chance: &mut Chance) -> Vec<DaemonSetup> {
    let second = chance.percent(30);
    (0..2)
        .map(|number| DaemonSetup {
            drift_ppm: i64::try_from(chance.below(100_000)).unwrap_or(0) - 50_000,
            wall_off_ms: i64::try_from(chance.below(20_000)).unwrap_or(0) - 10_000,
            from_start: number == 0 || second,
        })
        .collect()
}
