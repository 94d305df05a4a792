//! Records to keep.

use orchestrator_core::eta::StartBand;
use orchestrator_core::id::{
    AcceptSeq, AttemptId, Digest, Epoch, KeyId, ModelRef, PrincipalId, ProjectId, ReplicaName,
    SessionId, TaskId, TenantId,
};
use orchestrator_core::key::{KeyMac, KeyRecord, KeyScope, Scopes, ServerKeyMark, Tenant};
use orchestrator_core::placement::ReplicaSetKey;
use orchestrator_core::queue::ClassName;
use orchestrator_core::session::{Amounts, SessionBudget, SessionRecord};
use orchestrator_core::task::{
    AttemptHead, AttemptRecord, AttemptState, Determinism, Engine, FinishReason, InputKind,
    OnDisconnect, PromptFacts, Sampling, Started, TaskEnd, TaskFault, TaskRecord, TaskSpec,
    TaskState, WaitingFor,
};
use orchestrator_core::time::WallMs;

use crate::draw::Draw;

/// A plain task, queued, whose id is its accept sequence.
#[must_use]
pub fn task(seq: u64) -> TaskRecord {
    let mut record = drawn_task(&mut Draw::new(seq), seq);
    record.id = TaskId(seq.into());
    record.tenant = TenantId::DEFAULT;
    record.state = TaskState::Queued;
    record.position = 0;
    record.attempts = 0;
    record.attempt = None;
    record.end = None;
    record.spec.session = None;
    record.spec.sampling = Sampling {
        temperature: 0.8,
        top_k: 40,
        top_p: 0.95,
        min_p: 0.05,
        repeat_penalty: 1.1,
    };
    record
}

/// A live attempt.
#[must_use]
pub fn attempt(id: u128, task: u64, number: u32) -> AttemptRecord {
    AttemptRecord {
        id: AttemptId(id),
        task: TaskId(task.into()),
        number,
        state: AttemptState::Live,
        ..drawn_attempt(&mut Draw::new(id as u64))
    }
}

/// A session of the default tenant.
#[must_use]
pub fn session(id: u128) -> SessionRecord {
    SessionRecord {
        id: SessionId(id),
        tenant: TenantId::DEFAULT,
        turns: 1,
        replica: Some(ReplicaName::new("default-0")),
        touched_at: WallMs(77),
        began: AcceptSeq(3),
        budget: SessionBudget {
            tokens: Some(id as u64),
            ..SessionBudget::default()
        },
        spent: Amounts {
            time_ms: 5,
            ..Amounts::default()
        },
        ttl_ms: None,
        put: None,
    }
}

/// A key of the tenant `acme` that has not ended.
#[must_use]
pub fn key(id: u64) -> KeyRecord {
    KeyRecord {
        id: KeyId(id),
        tenant: Tenant::named("acme").expect("a name"),
        expires_at: None,
        revoked_at: None,
        replaced_by: None,
        ..drawn_key(&mut Draw::new(id))
    }
}

/// A key with any values.
pub(crate) fn drawn_key(draw: &mut Draw) -> KeyRecord {
    let name = format!("t{}", draw.number32());
    KeyRecord {
        id: KeyId(draw.number()),
        mac: KeyMac(draw.digest().0),
        server_key: ServerKeyMark(draw.number().to_be_bytes()),
        tenant: Tenant::named(draw.one_of(&["default", &name])).expect("a name"),
        project: draw.maybe(|draw| ProjectId(draw.id())),
        name: draw.text(),
        scopes: Scopes::from_iter((0..draw.number32() % 4).map(|_| draw.one_of(&KeyScope::ALL))),
        class_max: draw.one_of(&CLASSES),
        created_at: WallMs(draw.number()),
        created_by: PrincipalId(draw.id()),
        expires_at: draw.maybe(|draw| WallMs(draw.number())),
        revoked_at: draw.maybe(|draw| WallMs(draw.number())),
        replaced_by: draw.maybe(|draw| KeyId(draw.number())),
    }
}

/// A task with any values, revision 1.
pub(crate) fn drawn_task(draw: &mut Draw, seq: u64) -> TaskRecord {
    let record = TaskRecord {
        id: TaskId(draw.id()),
        seq: AcceptSeq(seq),
        tenant: TenantId(draw.id()),
        project: ProjectId(draw.id()),
        created_by: PrincipalId(draw.id()),
        fingerprint: draw.digest(),
        spec: drawn_spec(draw),
        accepted_at: WallMs(draw.number()),
        accepted_position: draw.number(),
        accepted_eta_ms: draw.number(),
        accepted_band: draw.maybe(|draw| StartBand {
            low_ms: draw.number(),
            high_ms: draw.number(),
        }),
        revision: 1,
        state: TaskState::Queued,
        attempts: 0,
        failures: 0,
        interruptions: 0,
        attempt: None,
        replica_set: None,
        started: None,
        position: 0,
        not_before: None,
        ended_at: None,
        end: None,
    };
    changed_task(draw, &record, 1)
}

/// The same task with any values in what may change.
pub(crate) fn changed_task(draw: &mut Draw, record: &TaskRecord, revision: u64) -> TaskRecord {
    TaskRecord {
        revision,
        state: draw.one_of(&STATES),
        attempts: draw.number32(),
        failures: draw.number32(),
        interruptions: draw.number32(),
        attempt: draw.maybe(|draw| AttemptHead {
            id: AttemptId(draw.id()),
            number: draw.number32(),
            replica: ReplicaName::new(draw.text()),
        }),
        replica_set: draw.maybe(|draw| ReplicaSetKey(draw.digest())),
        started: draw.maybe(|draw| {
            Box::new(Started {
                at: WallMs(draw.number()),
                replica: ReplicaName::new(draw.text()),
                engine: draw.one_of(&ENGINES),
                engine_version: draw.text(),
                model_digest: draw.digest(),
            })
        }),
        position: draw.number(),
        not_before: draw.maybe(|draw| WallMs(draw.number())),
        ended_at: draw.maybe(|draw| WallMs(draw.number())),
        end: draw.maybe(drawn_end),
        ..record.clone()
    }
}

/// An attempt with any values.
pub(crate) fn drawn_attempt(draw: &mut Draw) -> AttemptRecord {
    AttemptRecord {
        id: AttemptId(draw.id()),
        task: TaskId(draw.id()),
        number: draw.number32(),
        replica: ReplicaName::new(draw.text()),
        replica_set: ReplicaSetKey(draw.digest()),
        epoch: Epoch(draw.number()),
        began_at: WallMs(draw.number()),
        ended_at: draw.maybe(|draw| WallMs(draw.number())),
        state: match draw.bits() % 3 {
            0 => AttemptState::Live,
            1 => AttemptState::Finished(draw.one_of(&FINISHES)),
            _ => AttemptState::Failed(draw.one_of(&FAULTS)),
        },
        first_token_ms: draw.maybe(Draw::number),
        detail: draw.text(),
    }
}

fn drawn_spec(draw: &mut Draw) -> TaskSpec {
    TaskSpec {
        kind: draw.one_of(&[InputKind::Completion, InputKind::Prompt]),
        prompt: PromptFacts {
            digest: draw.digest(),
            bytes: draw.number(),
            tokens_estimate: draw.number(),
            tokens_least: draw.number(),
        },
        model_ref: draw.maybe(|draw| ModelRef::new(draw.text())),
        engine: draw.maybe(|draw| draw.one_of(&ENGINES)),
        ctx: draw.maybe(Draw::number32),
        max_tokens: draw.number32(),
        ignore_eos: draw.bits().is_multiple_of(2),
        sampling: Sampling {
            temperature: draw.double(),
            top_k: draw.number32(),
            top_p: draw.double(),
            min_p: draw.double(),
            repeat_penalty: draw.double(),
        },
        seed: draw.number32(),
        determinism: draw.one_of(&[Determinism::BestEffort, Determinism::Strict]),
        priority: draw.one_of(&CLASSES),
        deadline_ms: draw.maybe(Draw::number),
        run_at: draw.maybe(|draw| WallMs(draw.number())),
        session: draw.maybe(|draw| SessionId(draw.id())),
        on_disconnect: draw.one_of(&[OnDisconnect::Cancel, OnDisconnect::Continue]),
    }
}

fn drawn_end(draw: &mut Draw) -> TaskEnd {
    if draw.bits().is_multiple_of(2) {
        TaskEnd::Finished {
            finish: draw.one_of(&FINISHES),
            tokens_in: draw.number(),
            tokens_out: draw.number(),
            decode_ms: draw.number(),
        }
    } else {
        TaskEnd::Failed {
            fault: draw.one_of(&FAULTS),
            detail: draw.text(),
        }
    }
}

/// Some classes, with the shortest name and the longest.
pub(crate) const CLASSES: [ClassName; 4] = [
    ClassName::INTERACTIVE,
    ClassName::BATCH,
    class("z"),
    class("a-name-as-long-as-it-is"),
];

const fn class(name: &str) -> ClassName {
    ClassName::named(name).expect("is a name")
}

/// Every state.
pub const STATES: [TaskState; 10] = [
    TaskState::Waiting(WaitingFor::Backoff),
    TaskState::Waiting(WaitingFor::Time),
    TaskState::Queued,
    TaskState::Dispatched,
    TaskState::Running,
    TaskState::CancelRequested,
    TaskState::Completed,
    TaskState::Failed,
    TaskState::Cancelled,
    TaskState::Parked,
];

const ENGINES: [Engine; 2] = [Engine::Embedded, Engine::Llamacpp];

const FINISHES: [FinishReason; 3] = [
    FinishReason::Cancelled,
    FinishReason::Length,
    FinishReason::Stop,
];

const FAULTS: [TaskFault; 11] = [
    TaskFault::ContextExceeded,
    TaskFault::DeadlineUnmet,
    TaskFault::DecodeTimeout,
    TaskFault::EngineRefused,
    TaskFault::Interrupted,
    TaskFault::PoolUnavailable,
    TaskFault::QueueFullDropLru,
    TaskFault::QueueFullShed,
    TaskFault::ReplicaSetGone,
    TaskFault::StreamDiverged,
    TaskFault::WorkerReset,
];

/// The record with its doubles as bits, since a double that is not a number equals nothing.
pub(crate) fn comparable(record: &TaskRecord) -> (TaskRecord, [u64; 4]) {
    let Sampling {
        temperature,
        top_k,
        top_p,
        min_p,
        repeat_penalty,
    } = record.spec.sampling;
    let mut rest = record.clone();
    rest.spec.sampling = Sampling {
        temperature: 0.0,
        top_k,
        top_p: 0.0,
        min_p: 0.0,
        repeat_penalty: 0.0,
    };
    (
        rest,
        [temperature, top_p, min_p, repeat_penalty].map(f64::to_bits),
    )
}

/// A digest of one byte.
pub(crate) fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}
