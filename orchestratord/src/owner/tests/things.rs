//! Plain things to hand to an owner.

use orchestrator_core::id::{
    Digest, KeyId, ModelRef, PayloadRef, PoolName, PrincipalId, ProjectId, ReplicaName, TaskId,
    TenantId,
};
use orchestrator_core::input::{Ask, Report, TaskCreate};
use orchestrator_core::key::{KeyCreate, KeyMac, KeyScope, Scopes, ServerKeyMark, Tenant};
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::placement::{PoolConfig, ReplicaConfig, ReplicaFacts};
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{
    Determinism, Engine, InputKind, OnDisconnect, PROFILE_V1, PromptFacts, Sampling, TaskSpec,
};

/// One pool `default` with one replica, small queues.
pub(crate) fn config() -> MachineConfig {
    let config = MachineConfig::for_pools(vec![PoolConfig {
        name: PoolName::new("default"),
        engine: Engine::Embedded,
        model_ref: ModelRef::new("haiku-tiny"),
        kv_bytes_per_token: None,
        replicas: vec![ReplicaConfig::alone(ReplicaName::new("default-0"))],
    }]);
    with_places(config, [6, 4])
}

/// The same with so many places in each class, the more urgent one first.
pub(super) fn with_places(mut config: MachineConfig, places: [u32; 2]) -> MachineConfig {
    for (class, capacity) in config.classes.iter_mut().zip(places) {
        class.capacity = capacity;
    }
    config
}

/// The replica takes work, two attempts at once.
pub(crate) fn ready() -> Report {
    Report::ReplicaReady {
        facts: Box::new(ReplicaFacts {
            name: ReplicaName::new("default-0"),
            pool: PoolName::new("default"),
            engine: Engine::Embedded,
            engine_version: "1".to_owned(),
            model_ref: ModelRef::new("haiku-tiny"),
            model_digest: Digest([7; 32]),
            sampler_profile_version: PROFILE_V1.version.to_owned(),
            ctx: 512,
            slots: 2,
        }),
    }
}

/// The replica is gone.
pub(super) fn down() -> Report {
    Report::ReplicaDown {
        replica: ReplicaName::new("default-0"),
        detail: "as planned".to_owned(),
    }
}

/// The pool will have no replica any more.
pub(super) fn gave_up() -> Report {
    Report::PoolUnavailable {
        pool: PoolName::new("default"),
        detail: "as planned".to_owned(),
    }
}

/// Asks for a task of a class.
pub(crate) fn create(id: u128, priority: ClassName) -> Ask {
    let spec = TaskSpec {
        kind: InputKind::Prompt,
        prompt: PromptFacts {
            digest: Digest([1; 32]),
            bytes: 6,
            tokens_estimate: 2,
            tokens_least: 1,
        },
        model_ref: None,
        engine: None,
        ctx: None,
        max_tokens: 64,
        ignore_eos: false,
        sampling: Sampling {
            temperature: 0.8,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            repeat_penalty: 1.0,
        },
        seed: 1,
        determinism: Determinism::BestEffort,
        priority,
        deadline_ms: None,
        run_at: None,
        session: None,
        on_disconnect: OnDisconnect::Continue,
    };
    Ask::TaskCreate {
        create: Box::new(TaskCreate {
            id: TaskId(id),
            fresh: false,
            tenant: TenantId::DEFAULT,
            project: ProjectId::DEFAULT,
            created_by: PrincipalId::SYSTEM,
            fingerprint: Digest([id as u8; 32]),
            key: None,
            spec,
            budget: None,
            body: PayloadRef(0),
        }),
        cold: None,
    }
}

/// Asks to end a task.
pub(crate) fn cancel(id: u128) -> Ask {
    Ask::TaskCancel {
        task: TaskId(id),
        cold: None,
    }
}

/// A key for tasks of this class at most.
pub(crate) fn key(id: u64, class_max: ClassName) -> KeyCreate {
    KeyCreate {
        id: KeyId(id),
        mac: KeyMac([0; 32]),
        server_key: ServerKeyMark([0; 8]),
        tenant: Tenant::default(),
        project: None,
        name: String::new(),
        scopes: Scopes::from_iter([KeyScope::Operator]),
        class_max,
        expires_at: None,
        created_by: PrincipalId::SYSTEM,
    }
}
