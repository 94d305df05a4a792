//! Things that servers say.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use api_client::types::{
    Capabilities, CapabilityClass, CapabilityLimit, Determinism, Engine, EngineCapability,
    FinishReason, NotChosen, Obstacle, OnDisconnect, PlacementCandidate, PlacementVerdict,
    PoolHealth, PoolState, Problem, ProblemCode, Refusal, ReplicaHealth, ReplicaSet, ReplicaState,
    Session, SessionBudget, StreamEnd, StreamMetrics, StreamStarted, StreamToken, Task, TaskBatch,
    TaskBatchItem, TaskBatchRequest, TaskCreateRequest, TaskCreated, TaskError, TaskInput,
    TaskInputKind, TaskResult, TaskState, TaskStreamEvent, TaskTimings, TaskWhy,
};
use uuid::{Uuid, uuid};

use crate::script::Step;

pub(crate) const TASK: Uuid = uuid!("019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a");
pub(crate) const SESSION: Uuid = uuid!("019a2f3c-7a51-7c40-9a53-000000000001");
pub(crate) const REFUSAL: Uuid = uuid!("019a2f3c-7a52-7001-8000-0000000000aa");
pub(crate) const CORRELATION: &str = "019a2f3c-7a52-7000-8000-000000000002";

const DIGEST: &str = "sha256:5a2f0c4de8f7c1b0a9f6e1c0b7d4a3928171605f4e3d2c1b0a99887766554433";
const VERSION: &str = "orch-engine-0.1.0+candle-0.11.1.x86_64.avx2.fma";
const MINUTE: u64 = 60_000;

pub(crate) const METRICS: &str = "\
# HELP queue_depth Tasks that wait for a slot.
# TYPE queue_depth gauge
queue_depth{engine=\"any\",priority=\"urgent\"} 1
queue_depth{engine=\"any\",priority=\"batch\"} 12
queue_depth{engine=\"any\",priority=\"interactive\"} 0
";

/// What an engine that gave up leaves behind: a long line, and more of them.
pub(crate) const GAVE_UP: &str = "replica worn-0 stays down: it failed again after 5 restarts within 60 s; \
    mend the cause and start it again. The last failure: /opt/engine/llama-server (pid 4711) ended with status 1; \
    it said last:\nload_model: cannot open /models/qwen.gguf\n\tmain: exiting due to model loading error";

/// A time that reads as so many minutes ago, and a few seconds before and after it too, however slow the machine is.
pub(crate) fn minutes_ago(minutes: u64) -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis();
    u64::try_from(now).unwrap() - minutes * MINUTE - MINUTE / 3
}

pub(crate) fn days_ago(days: u64) -> u64 {
    minutes_ago(days * 24 * 60)
}

pub(crate) fn created(task_id: Uuid) -> TaskCreated {
    TaskCreated {
        task_id,
        correlation_id: CORRELATION.to_owned(),
        state: TaskState::Queued,
        queue_position: 3,
        predicted_start_ms: 420,
        predicted_start_low_ms: Some(130),
        predicted_start_high_ms: Some(760),
        priority: "interactive".to_owned(),
        seed: 1_734_829_405,
    }
}

/// The answer to a batch of which the second task was refused, if there is a refusal.
pub(crate) fn batch(asked: &TaskBatchRequest, refusal: Option<Problem>) -> TaskBatch {
    let item = |(place, task): (usize, &TaskCreateRequest)| match &refusal {
        Some(problem) if place == 1 => TaskBatchItem {
            task: None,
            replayed: None,
            problem: Some(problem.clone()),
            refusal_id: Some(REFUSAL),
        },
        _ => TaskBatchItem {
            task: task.task_id.map(created),
            replayed: (place == 2).then_some(true),
            problem: None,
            refusal_id: None,
        },
    };
    let items: Vec<_> = asked.tasks.iter().enumerate().map(item).collect();
    let refused = items.iter().filter(|item| item.problem.is_some()).count();
    TaskBatch {
        accepted: u32::try_from(items.len() - refused).unwrap(),
        refused: u32::try_from(refused).unwrap(),
        items,
    }
}

pub(crate) fn running() -> Task {
    let created_at_ms = minutes_ago(3);
    Task {
        task_id: TASK,
        state: TaskState::Running,
        error: None,
        priority: "interactive".to_owned(),
        input: TaskInput {
            kind: TaskInputKind::Prompt,
            prompt_bytes: 27,
            prompt_digest: DIGEST.to_owned(),
            tokens_estimate: 9,
        },
        model_ref: Some("haiku-tiny".to_owned()),
        engine: Some(Engine::Embedded),
        ctx: Some(512),
        max_tokens: 128,
        deadline_ms: None,
        run_at_ms: None,
        seed: 42,
        determinism: Determinism::Strict,
        on_disconnect: OnDisconnect::Continue,
        session_id: Some(SESSION),
        project_id: None,
        created_by: None,
        metadata: Some(BTreeMap::from([("team".to_owned(), "docs".to_owned())])),
        attempts: 1,
        replica: Some("default-0".to_owned()),
        stream_position: 12,
        created_at_ms,
        started_at_ms: Some(created_at_ms + 4),
        ended_at_ms: None,
        why: None,
    }
}

pub(crate) fn completed() -> Task {
    let running = running();
    Task {
        state: TaskState::Completed,
        ended_at_ms: running.started_at_ms.map(|at| at + 2_345),
        model_ref: None,
        engine: None,
        ctx: None,
        session_id: None,
        metadata: None,
        ..running
    }
}

pub(crate) fn failed() -> Task {
    Task {
        state: TaskState::Failed,
        error: Some(TaskError {
            code: ProblemCode::WorkerReset,
            detail: "the engine was lost 3 times".to_owned(),
            retriable: true,
        }),
        attempts: 3,
        ..completed()
    }
}

/// Pushed out of a full queue before it ever ran.
pub(crate) fn dropped() -> Task {
    let running = running();
    Task {
        state: TaskState::Failed,
        error: Some(TaskError {
            code: ProblemCode::QueueFullDropLru,
            detail: format!("the queue of its class was full when task {SESSION} came"),
            retriable: true,
        }),
        priority: "batch".to_owned(),
        attempts: 0,
        replica: None,
        stream_position: 0,
        started_at_ms: None,
        ended_at_ms: Some(running.created_at_ms + 31_250),
        ..running
    }
}

pub(crate) fn queued() -> Task {
    Task {
        state: TaskState::Queued,
        attempts: 0,
        replica: None,
        stream_position: 0,
        started_at_ms: None,
        why: Some(TaskWhy {
            summary: "3 tasks are ahead in class interactive".to_owned(),
            blocked_by: Some(Obstacle::Queue),
            waiting_for: None,
            wakes_in_ms: None,
            queue_position: Some(3),
            predicted_start_ms: Some(4_200),
            predicted_start_low_ms: Some(2_900),
            predicted_start_high_ms: Some(5_800),
            on_time_probability: Some(0.97),
            candidates: Some(vec![
                candidate("default-0", PlacementVerdict::Busy, "1 of 1 slots taken"),
                candidate(
                    "big-0",
                    PlacementVerdict::ModelDiffers,
                    "serves qwen, and haiku-tiny is asked for",
                ),
            ]),
        }),
        ..running()
    }
}

/// A task that found its class full.
pub(crate) fn refusal() -> Refusal {
    Refusal {
        refusal_id: REFUSAL,
        correlation_id: CORRELATION.to_owned(),
        refused_at_ms: minutes_ago(3),
        task_id: Some(TASK),
        code: ProblemCode::AdmissionReject,
        blocked_by: Obstacle::QueueFull,
        detail: "class interactive is full: its capacity is 1024, and its policy is to reject; try again later".to_owned(),
        limit_name: Some("queue.interactive.capacity".to_owned()),
        retry_after_ms: Some(4_200),
        priority: "interactive".to_owned(),
        project_id: None,
        created_by: Some("5f0c9a3be1d27448".to_owned()),
        model_ref: None,
        engine: None,
        session_id: None,
        tokens: 263,
        ctx_need: 2,
        deadline_ms: Some(60_000),
        queue_depth: 1_024,
        queue_position: 1_024,
        predicted_start_ms: 430_000,
        predicted_start_low_ms: Some(391_000),
        predicted_start_high_ms: Some(470_000),
        not_chosen: NotChosen {
            busy: Some(1),
            model_differs: Some(1),
            ..NotChosen::default()
        },
        candidates: vec![
            candidate("default-0", PlacementVerdict::Busy, "1 of 1 slots taken"),
            candidate("big-0", PlacementVerdict::ModelDiffers, "serves model qwen"),
        ],
    }
}

fn candidate(replica: &str, verdict: PlacementVerdict, detail: &str) -> PlacementCandidate {
    PlacementCandidate {
        replica: replica.to_owned(),
        verdict,
        detail: detail.to_owned(),
    }
}

pub(crate) fn cancelled() -> Task {
    Task {
        state: TaskState::Cancelled,
        ..completed()
    }
}

pub(crate) fn session() -> Session {
    Session {
        session_id: SESSION,
        turns: 2,
        turns_max: 8,
        ttl_ms_remaining: 591_000,
        replica: Some("default-0".to_owned()),
        kv_bytes: 0,
        kv_warmth: false,
        tokens_budget_remaining: Some(9_212),
        time_budget_remaining_ms: None,
        cost_budget_remaining_micros: None,
        tokens_spent: 788,
        time_spent_ms: 0,
        cost_spent_micros: 0,
        budget: SessionBudget {
            tokens: Some(10_000),
            ..SessionBudget::default()
        },
        ttl_ms: 600_000,
        put_at_ms: Some(minutes_ago(3)),
        put_by: Some("5f0c9a3be1d27448".to_owned()),
    }
}

pub(crate) fn capabilities() -> Capabilities {
    let engine = |engine, model: &str, pool: &str, ctx_max| EngineCapability {
        engine,
        model_ref: model.to_owned(),
        pool: pool.to_owned(),
        ctx_max,
        slots_total: 1,
    };
    let limit = |name: &str, value, unit: &str| CapabilityLimit {
        limit_name: name.to_owned(),
        value,
        unit: unit.to_owned(),
    };
    Capabilities {
        api_version: "1.0.0-preview.1".to_owned(),
        server_version: "0.1.0".to_owned(),
        input_kinds: vec![TaskInputKind::Completion, TaskInputKind::Prompt],
        engines: vec![
            engine(Engine::Embedded, "haiku-tiny", "default", Some(512)),
            engine(Engine::Llamacpp, "qwen", "big", None),
            engine(Engine::Llamacpp, "qwen", "worn", None),
        ],
        classes: [("interactive", true), ("batch", false)]
            .map(|(class, default)| CapabilityClass {
                class: class.to_owned(),
                default,
            })
            .into(),
        limits: vec![
            limit("queue.interactive.capacity", 1_024, "tasks"),
            limit("queue.batch.capacity", 4_096, "tasks"),
            limit("session.turns_max", 8, "tasks"),
        ],
    }
}

pub(crate) fn replica_sets() -> Vec<ReplicaSet> {
    vec![ReplicaSet {
        id: DIGEST.to_owned(),
        engine: Engine::Embedded,
        engine_version: VERSION.to_owned(),
        model_ref: "haiku-tiny".to_owned(),
        model_digest: DIGEST.to_owned(),
        sampler_profile_version: "v1".to_owned(),
        replicas: vec!["default-0".to_owned(), "default-1".to_owned()],
        slots_total: 2,
        slots_free: 1,
        load: 0.5,
    }]
}

pub(crate) fn pools() -> BTreeMap<String, PoolHealth> {
    let ready = ReplicaHealth {
        replica: "default-0".to_owned(),
        process: None,
        state: ReplicaState::Ready,
        engine_version: Some(VERSION.to_owned()),
        model_digest: Some(DIGEST.to_owned()),
        ctx_max: Some(512),
        restarts: 0,
        slots_total: 1,
        slots_free: 1,
        last_error: None,
    };
    let starting = ReplicaHealth {
        replica: "default-1".to_owned(),
        process: None,
        state: ReplicaState::Starting,
        engine_version: None,
        model_digest: None,
        ctx_max: None,
        restarts: 2,
        slots_total: 0,
        slots_free: 0,
        last_error: Some("the engine ended with\nsignal 9".to_owned()),
    };
    let big = PoolHealth {
        pool: "big".to_owned(),
        live: false,
        ready: false,
        paused: true,
        kv_bytes_per_token: None,
        state: PoolState::Unavailable,
        slots_total: 0,
        slots_free: 0,
        replicas: Vec::new(),
    };
    let worn = ReplicaHealth {
        replica: "worn-0".to_owned(),
        process: Some("default-0".to_owned()),
        state: ReplicaState::Failed,
        restarts: 5,
        last_error: Some(GAVE_UP.to_owned()),
        ..starting.clone()
    };
    let worn = PoolHealth {
        pool: "worn".to_owned(),
        replicas: vec![worn],
        ..big.clone()
    };
    let default = PoolHealth {
        pool: "default".to_owned(),
        live: true,
        ready: true,
        paused: false,
        kv_bytes_per_token: Some(1_024),
        state: PoolState::Ready,
        slots_total: 1,
        slots_free: 1,
        replicas: vec![ready, starting],
    };
    [default, big, worn]
        .map(|pool| (pool.pool.clone(), pool))
        .into()
}

/// A problem as short as the contract allows.
pub(crate) fn problem(code: ProblemCode, status: u32, title: &str, detail: &str) -> Problem {
    Problem {
        type_: api_server::support::problem_type(&code),
        title: title.to_owned(),
        status,
        detail: detail.to_owned(),
        instance: Some("/v1/tasks".to_owned()),
        code,
        engine: None,
        retriable: false,
        retry_after_ms: None,
        policy_label: None,
        limit_name: None,
        limit_max: None,
        limit_left: None,
        limit_window_s: None,
        task_id: None,
        correlation_id: CORRELATION.to_owned(),
        errors: None,
    }
}

pub(crate) fn not_found() -> Problem {
    problem(
        ProblemCode::NotFound,
        404,
        "There is nothing here",
        "there is nothing of this name",
    )
}

pub(crate) fn started() -> Step {
    let event = StreamStarted {
        queue_position: 3,
        replica: "default-0".to_owned(),
        engine: Engine::Embedded,
        engine_version: VERSION.to_owned(),
        model_digest: DIGEST.to_owned(),
        seed: 1_734_829_405,
        attempt: 1,
    };
    Step::send(None, TaskStreamEvent::Started(event))
}

pub(crate) fn waiting(queue_position: u64) -> Step {
    metrics(Some(queue_position), 0)
}

pub(crate) fn attempt(attempt: u32) -> Step {
    metrics(None, attempt)
}

fn metrics(queue_position: Option<u64>, attempt: u32) -> Step {
    let event = StreamMetrics {
        queue_depth: 4,
        queue_position,
        predicted_start_ms: queue_position.map(|position| position * 140),
        predicted_start_low_ms: None,
        predicted_start_high_ms: None,
        on_time_probability: None,
        tokens_budget_remaining: None,
        time_budget_remaining_ms: None,
        cost_budget_remaining_micros: None,
        attempt,
        kv_warmth: false,
    };
    Step::send(None, TaskStreamEvent::Metrics(event))
}

/// The ids of the first tokens.
pub(crate) const IDS: [&str; 4] = [
    "0-00000000000000aa",
    "1-00000000000000bb",
    "2-00000000000000cc",
    "3-00000000000000dd",
];

pub(crate) fn token(index: usize, text: &str) -> Step {
    let event = StreamToken {
        t: text.to_owned(),
        i: index as u64,
    };
    Step::send(Some(IDS[index]), TaskStreamEvent::Token(event))
}

pub(crate) fn end(finish_reason: FinishReason) -> Step {
    let event = StreamEnd {
        tokens_in: 9,
        tokens_out: 3,
        decode_ms: 100,
        finish_reason,
    };
    Step::send(Some(IDS[3]), TaskStreamEvent::End(event))
}

pub(crate) fn failure(problem: Problem) -> Step {
    Step::send(Some(IDS[3]), TaskStreamEvent::Error(problem))
}

/// A stream from beginning to end.
pub(crate) fn whole() -> Vec<Step> {
    vec![
        waiting(3),
        waiting(1),
        started(),
        token(0, "rain on"),
        token(1, ""),
        token(2, " moss"),
        end(FinishReason::Stop),
    ]
}

/// What came of a task.
pub(crate) fn result(task: &Task) -> TaskResult {
    let done = task.error.is_none() && task.ended_at_ms.is_some();
    let cancelled = task.state == TaskState::Cancelled;
    let finish = if cancelled {
        FinishReason::Cancelled
    } else {
        FinishReason::Stop
    };
    let timings = TaskTimings {
        queue_ms: task.started_at_ms.map(|_| 3),
        first_token_ms: done.then_some(14),
        decode_ms: done.then_some(1_200),
        total_ms: task.ended_at_ms.map(|at| at - task.created_at_ms),
    };
    TaskResult {
        task_id: task.task_id,
        state: task.state.clone(),
        text: done.then(|| "first line\nsecond line".to_owned()),
        finish_reason: done.then_some(finish),
        error: task.error.clone(),
        tokens_in: done.then_some(12),
        tokens_out: done.then_some(task.stream_position),
        attempts: task.attempts,
        seed: task.seed,
        engine: None,
        engine_version: task.started_at_ms.map(|_| "engine-1.0".to_owned()),
        model_digest: task.started_at_ms.map(|_| "sha256:00".to_owned()),
        timings,
    }
}
