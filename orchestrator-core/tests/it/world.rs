//! A world that does anything at any time: the moves that the properties are proved over.

use orchestrator_core::bulk::{BulkAction, BulkBegin, BulkFilter, LiveState};
use orchestrator_core::id::{
    AttemptId, BulkId, KeyId, ModelRef, PoolName, PrincipalId, ReplicaName, SessionId, TaskId,
    TenantId,
};
use orchestrator_core::idempotency::IdempotencyKey;
use orchestrator_core::input::{Ask, AttemptEnd, Input, Report};
use orchestrator_core::key::KeyScope;
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::placement::ReplicaFacts;
use orchestrator_core::queue::ClassName;
use orchestrator_core::quota::QuotaPut;
use orchestrator_core::task::{
    AttemptState, Engine, FinishReason, OnDisconnect, PromptFacts, TaskFault, TaskSpec,
};
use orchestrator_core::time::WallMs;
use proptest::prelude::*;

use crate::keys::{key, rotate};
use crate::pools::two_pools;
use crate::quotas::any_put;
use crate::rig::{BEGINNING, Rig, batch_of, facts, interactive_of, spec};

/// One move.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create(u128, Box<TaskSpec>),
    /// The same, under an idempotency key.
    CreateKeyed(u128, u128, Box<TaskSpec>),
    Cancel(u128),
    Requeue(u128),
    Bulk(Box<BulkBegin>),
    SessionDelete(u128),
    Key(Box<Ask>),
    Queue {
        pool: Option<&'static str>,
        paused: bool,
    },
    Quota(Box<QuotaPut>),
    Advance(u64),
    Tick,
    Ready(ReplicaFacts),
    Down(&'static str),
    GiveUp(&'static str),
    Readers(u128, u32),
    Restart,
    /// Something about an attempt: the newest of the n-th live one, or any that ever was.
    Attempt {
        pick: usize,
        live: bool,
        what: What,
    },
}

/// What is reported of an attempt.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Renewed,
    Running,
    /// A chunk that begins this far off the durable position.
    Chunk {
        off: i64,
        tokens: u64,
    },
    /// An end this far off the durable position.
    Finished {
        finish: FinishReason,
        off: i64,
    },
    Failed(TaskFault),
}

const REPLICAS: [&str; 3] = ["default-0", "default-1", "large-0"];

/// Small limits, so that they are reached.
pub(crate) fn small(attachable: bool) -> MachineConfig {
    let mut config = two_pools();
    config.pools[1].kv_bytes_per_token = Some(3_000);
    interactive_of(&mut config).capacity = 3;
    batch_of(&mut config).capacity = 2;
    config.ageing_ms = 4_000;
    config.scheduled_max = 3;
    config.retry.interruptions = 3;
    config.session_turns_max = 3;
    config.session_ttl_ms = 20_000;
    config.idempotency_retention_ms = 30_000;
    config.idempotency_keys_max = 4;
    config.attachable = attachable;
    config
}

/// The same where the first replica of each pool lives in one process, or not.
pub(crate) fn any_small() -> impl Strategy<Value = MachineConfig> {
    let bound = prop::option::of(0u32..1_000);
    (any::<bool>(), bound).prop_map(|(attachable, bound)| {
        let mut config = small(attachable);
        if let Some(bound) = bound {
            config.policy.model_run_tokens_max = bound;
            config.pools[1].replicas[0].process = config.pools[0].replicas[0].process.clone();
        }
        config
    })
}

/// Do two replicas of a process generate at once?
pub(crate) fn generates_twice(rig: &Rig) -> bool {
    let shares = |config: &MachineConfig| {
        config.pools[1].replicas[0].process == config.pools[0].replicas[0].process
    };
    let taken = |name| rig.machine.slots_taken(&ReplicaName::new(name)) > 0;
    shares(rig.machine.config()) && taken("default-0") && taken("large-0")
}

fn task() -> impl Strategy<Value = u128> {
    1u128..14
}

fn any_spec() -> impl Strategy<Value = Box<TaskSpec>> {
    let model = prop_oneof![
        4 => Just(None),
        2 => Just(Some("haiku-tiny")),
        2 => Just(Some("large-8b")),
        1 => Just(Some("unknown")),
    ];
    let engine = prop_oneof![4 => Just(None), 1 => Just(Some(Engine::Embedded)), 1 => Just(Some(Engine::Llamacpp))];
    let ctx = prop_oneof![4 => Just(None), 1 => Just(Some(512)), 1 => Just(Some(2048)), 1 => Just(Some(9000))];
    let session = prop_oneof![2 => Just(None), 1 => (1u128..4).prop_map(Some)];
    let deadline = prop_oneof![3 => Just(None), 1 => (1u64..10_000).prop_map(Some)];
    let later = prop_oneof![4 => Just(None), 1 => (0u64..15_000).prop_map(Some)];
    let tokens = prop_oneof![5 => Just(1u64), 1 => Just(600)];
    (
        model,
        engine,
        ctx,
        session,
        tokens,
        any::<(bool, bool)>(),
        1u32..3,
        (deadline, later),
    )
        .prop_map(
            |(
                model,
                engine,
                ctx,
                session,
                tokens_least,
                (urgent, leave),
                seed,
                (deadline_ms, later),
            )| {
                Box::new(TaskSpec {
                    model_ref: model.map(ModelRef::new),
                    engine,
                    ctx,
                    session: session.map(SessionId),
                    prompt: PromptFacts {
                        tokens_least,
                        ..spec().prompt
                    },
                    priority: if urgent {
                        ClassName::INTERACTIVE
                    } else {
                        ClassName::BATCH
                    },
                    on_disconnect: if leave {
                        OnDisconnect::Cancel
                    } else {
                        OnDisconnect::Continue
                    },
                    seed,
                    deadline_ms,
                    run_at: later.map(|ms| WallMs(BEGINNING.0 + ms)),
                    ..spec()
                })
            },
        )
}

fn any_ready() -> impl Strategy<Value = ReplicaFacts> {
    (
        0usize..3,
        0u32..3,
        prop_oneof![4 => Just("1"), 1 => Just("2")],
        any::<bool>(),
    )
        .prop_map(|(index, slots, version, wide)| {
            let name = REPLICAS[index];
            let mut facts = facts(name, slots);
            facts.engine_version = version.to_owned();
            facts.ctx = if wide { 4096 } else { 512 };
            if index == 2 {
                facts.pool = PoolName::new("large");
                facts.engine = Engine::Llamacpp;
                facts.model_ref = ModelRef::new("large-8b");
            }
            facts
        })
}

fn any_what() -> impl Strategy<Value = What> {
    let off = prop_oneof![6 => Just(0i64), 1 => -3i64..4];
    let finish = prop_oneof![
        3 => Just(FinishReason::Stop),
        1 => Just(FinishReason::Length),
        2 => Just(FinishReason::Cancelled),
    ];
    let fault = prop_oneof![
        Just(TaskFault::ContextExceeded),
        Just(TaskFault::DecodeTimeout),
        Just(TaskFault::EngineRefused),
        Just(TaskFault::Interrupted),
        Just(TaskFault::StreamDiverged),
        Just(TaskFault::WorkerReset),
    ];
    prop_oneof![
        1 => Just(What::Renewed),
        3 => Just(What::Running),
        5 => (off, 0u64..5).prop_map(|(off, tokens)| What::Chunk { off, tokens }),
        3 => (finish, -2i64..6).prop_map(|(finish, off)| What::Finished { finish, off }),
        3 => fault.prop_map(What::Failed),
    ]
}

/// Something asked about a key, of a few that there may be.
fn any_key() -> impl Strategy<Value = Ask> {
    let id = || 1u64..6;
    let scope = prop_oneof![Just(KeyScope::Operator), Just(KeyScope::User)];
    prop_oneof![
        (id(), scope, prop::option::of(0u64..60_000)).prop_map(|(id, scope, expires)| {
            let mut create = key(id, scope);
            create.expires_at = expires.map(WallMs);
            Ask::KeyCreate(Box::new(create))
        }),
        id().prop_map(|id| Ask::KeyRevoke { key: KeyId(id) }),
        (id(), id(), 0u64..3).prop_map(|(old, new, grace)| {
            Ask::KeyRotate(Box::new(rotate(old, new, grace * 1_000)))
        }),
    ]
}

fn any_bulk() -> impl Strategy<Value = BulkBegin> {
    let state = prop::option::of(prop_oneof![
        Just(LiveState::Queued),
        Just(LiveState::Parked)
    ]);
    let session = prop::option::of((1u128..5).prop_map(SessionId));
    (1u128..40, any::<bool>(), state, session).prop_map(|(id, cancels, state, session)| BulkBegin {
        id: BulkId(id),
        action: if cancels {
            BulkAction::Cancel
        } else {
            BulkAction::Requeue
        },
        filter: BulkFilter {
            state,
            session,
            ..BulkFilter::of(TenantId::DEFAULT)
        },
        by: PrincipalId::SYSTEM,
    })
}

/// Any move, the useful ones more often.
pub(crate) fn any_op() -> impl Strategy<Value = Op> {
    let ms = prop_oneof![
        5 => 0u64..50, 3 => 50u64..1_000, 2 => 1_000u64..6_000, 1 => 6_000u64..40_000
    ];
    prop_oneof![
        10 => (task(), any_spec()).prop_map(|(task, spec)| Op::Create(task, spec)),
        5 => (1u128..7, task(), any_spec()).prop_map(|(key, task, spec)| Op::CreateKeyed(key, task, spec)),
        3 => task().prop_map(Op::Cancel),
        1 => task().prop_map(Op::Requeue),
        1 => any_bulk().prop_map(|begin| Op::Bulk(Box::new(begin))),
        1 => (1u128..5).prop_map(Op::SessionDelete),
        2 => any_key().prop_map(|ask| Op::Key(Box::new(ask))),
        1 => (prop::option::of(prop_oneof![Just("default"), Just("large"), Just("stranger")]), any::<bool>())
            .prop_map(|(pool, paused)| Op::Queue { pool, paused }),
        2 => any_put().prop_map(|put| Op::Quota(Box::new(put))),
        6 => ms.prop_map(Op::Advance),
        1 => Just(Op::Tick),
        5 => any_ready().prop_map(Op::Ready),
        1 => (0usize..3).prop_map(|index| Op::Down(REPLICAS[index])),
        1 => prop_oneof![Just("default"), Just("large"), Just("stranger")].prop_map(Op::GiveUp),
        3 => (task(), 0u32..3).prop_map(|(task, readers)| Op::Readers(task, readers)),
        1 => Just(Op::Restart),
        14 => (any::<usize>(), prop::bool::weighted(0.9), any_what())
            .prop_map(|(pick, live, what)| Op::Attempt { pick, live, what }),
    ]
}

/// Makes a move.
pub(crate) fn make(rig: &mut Rig, op: Op) {
    match op {
        Op::Create(task, spec) => drop(rig.create(task, *spec)),
        Op::CreateKeyed(key, task, spec) => {
            rig.key = Some(IdempotencyKey(key));
            drop(rig.create(task, *spec));
        }
        Op::Cancel(task) => drop(rig.cancel(task)),
        Op::Requeue(task) => drop(rig.requeue(task)),
        Op::Bulk(begin) => drop(rig.ask(Ask::BulkBegin(begin))),
        Op::SessionDelete(session) => drop(rig.session_delete(session)),
        Op::Key(ask) => drop(rig.ask(*ask)),
        Op::Queue { pool, paused } => drop(rig.queue_switch(pool, paused)),
        Op::Quota(put) => drop(rig.quota_put(*put)),
        Op::Advance(ms) => drop(rig.advance(ms)),
        Op::Tick => drop(rig.step(Input::Tick)),
        Op::Ready(facts) => drop(rig.replica_ready(facts)),
        Op::Down(name) => drop(rig.replica_down(name)),
        Op::GiveUp(pool) => {
            let pool = PoolName::new(pool);
            drop(rig.report(Report::PoolUnavailable {
                pool,
                detail: "gave up".to_owned(),
            }));
        }
        Op::Readers(task, readers) => {
            drop(rig.report(Report::ReadersChanged {
                task: TaskId(task),
                readers,
            }));
        }
        Op::Restart => drop(rig.restart()),
        Op::Attempt { pick, live, what } => report_attempt(rig, pick, live, what),
    }
}

fn report_attempt(rig: &mut Rig, pick: usize, live: bool, what: What) {
    let alive = |state: &AttemptState| *state == AttemptState::Live;
    let known: Vec<(AttemptId, TaskId)> = rig
        .store
        .attempts
        .values()
        .filter(|row| !live || alive(&row.state))
        .map(|row| (row.id, row.task))
        .chain((!live).then_some((AttemptId(99), TaskId(1))))
        .collect();
    let Some((attempt, task)) = known.get(pick % known.len().max(1)).copied() else {
        return;
    };
    let position = rig.store.tasks.get(&task).map_or(0, |row| row.position);
    let shift = |off: i64| position.saturating_add_signed(off);
    let payload = rig.payload();
    let report = match what {
        What::Renewed => Report::AttemptRenewed { attempt },
        What::Running => Report::AttemptRunning { attempt },
        What::Chunk { off, tokens } => {
            let from = shift(off);
            Report::AttemptChunk {
                attempt,
                from,
                to: from + tokens,
                chunk: payload,
            }
        }
        What::Finished { finish, off } => Report::AttemptEnded {
            attempt,
            end: AttemptEnd::Finished {
                finish,
                tokens_in: 10,
                tokens_out: shift(off),
                decode_ms: 7,
                first_token_ms: None,
                text: payload,
            },
        },
        What::Failed(fault) => Report::AttemptEnded {
            attempt,
            end: AttemptEnd::Failed {
                fault,
                detail: "it broke".to_owned(),
            },
        },
    };
    rig.report(report);
}

/// Heals the world: every replica is ready and finishes whatever it is given. What is left after that.
pub(crate) fn heal(rig: &mut Rig) {
    for pool in [None, Some("default"), Some("large")] {
        rig.queue_switch(pool, false);
    }
    for (name, pool) in [("default-0", 0), ("default-1", 0), ("large-0", 1)] {
        let mut facts = facts(name, 2);
        facts.ctx = 4096;
        let pool = &rig.machine.config().pools[pool];
        facts.pool = pool.name.clone();
        facts.engine = pool.engine;
        facts.model_ref = pool.model_ref.clone();
        rig.replica_ready(facts);
    }
    for _ in 0..200 {
        rig.advance(1_000);
        let heads: Vec<_> = rig
            .machine
            .hard_state()
            .tasks
            .values()
            .filter_map(|row| Some((row.attempt.clone()?.id, row.position)))
            .collect();
        for (attempt, position) in heads {
            let text = rig.payload();
            let end = AttemptEnd::Finished {
                finish: FinishReason::Stop,
                tokens_in: 10,
                tokens_out: position + 1,
                decode_ms: 1,
                first_token_ms: None,
                text,
            };
            rig.report(Report::AttemptEnded { attempt, end });
        }
    }
}

/// Names of all replicas.
pub(crate) fn replicas() -> impl Iterator<Item = ReplicaName> {
    REPLICAS.into_iter().map(ReplicaName::new)
}
