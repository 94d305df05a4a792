//! Which problem answers which trouble.

use orchestrator_core::task::TaskFault;

use super::*;

#[test]
fn a_pool_that_gave_up_is_no_reason_to_try_again() {
    let refusal = Refusal::PoolUnavailable {
        detail: "its model is broken".to_owned(),
    };
    let reply = of(Trouble::Refused(refusal), "/v1/tasks", "mine");
    assert_eq!(reply.status().as_u16(), 503);
    let told = (reply.problem.retriable, reply.problem.retry_after_ms);
    assert_eq!(told, (false, None), "{}", reply.problem.detail);
    assert!(!names::fault_retriable(TaskFault::PoolUnavailable));
}

#[test]
fn a_store_that_does_not_answer_says_when_to_try_again_and_whether_that_is_safe() {
    let id = Uuid::from_u128(7);
    let cases = [
        (
            Trouble::Busy {
                retry_after_ms: 1_250,
            },
            true,
            (2, 1_250),
        ),
        (
            Trouble::Store("the disk is gone".to_owned()),
            true,
            (1, 1_000),
        ),
        (
            Trouble::Unresolved {
                task: Some(id),
                safe: true,
            },
            true,
            (1, 1_000),
        ),
        (
            Trouble::Unresolved {
                task: Some(id),
                safe: false,
            },
            false,
            (1, 1_000),
        ),
    ];
    for (trouble, safe, (seconds, ms)) in cases {
        let reply = of(trouble, "/v1/tasks", "mine");
        assert_eq!(reply.status().as_u16(), 503);
        assert_eq!(reply.problem.code, ProblemCode::StoreUnavailable);
        assert_eq!(reply.problem.retriable, safe, "{}", reply.problem.detail);
        assert_eq!(reply.headers.retry_after, Some(seconds));
        assert_eq!(reply.headers.x_backoff_ms, Some(ms));
        assert_eq!(reply.problem.correlation_id, "mine");
    }
}

#[test]
fn each_fault_ends_a_stream_with_its_code_and_status() {
    let of = StreamOf {
        task_id: Uuid::from_u128(7),
        priority: ClassName::BATCH,
        engine: Some(wire::Engine::Embedded),
        correlation_id: "mine".to_owned(),
    };
    let told = |fault| {
        let problem = of_fault(fault, "why".to_owned(), &of);
        assert_eq!(problem.task_id, Some(of.task_id));
        (problem.status, problem.code.to_string(), problem.retriable)
    };
    let row = |status, code: &str, retriable| (status, code.to_owned(), retriable);
    assert_eq!(
        told(TaskFault::ContextExceeded),
        row(422, "CONTEXT_EXCEEDED", false)
    );
    assert_eq!(
        told(TaskFault::DecodeTimeout),
        row(500, "DECODE_TIMEOUT", true)
    );
    assert_eq!(
        told(TaskFault::EngineRefused),
        row(400, "INVALID_PARAMS", false)
    );
    assert_eq!(told(TaskFault::Interrupted), row(500, "WORKER_RESET", true));
    assert_eq!(
        told(TaskFault::PoolUnavailable),
        row(503, "POOL_UNAVAILABLE", false)
    );
    assert_eq!(
        told(TaskFault::QueueFullDropLru),
        row(429, "QUEUE_FULL_DROP_LRU", true)
    );
    assert_eq!(
        told(TaskFault::ReplicaSetGone),
        row(503, "REPLICA_SET_GONE", true)
    );
    assert_eq!(
        told(TaskFault::StreamDiverged),
        row(409, "STREAM_DIVERGED", true)
    );
    assert_eq!(told(TaskFault::WorkerReset), row(500, "WORKER_RESET", true));
    assert!(!of_divergence("why".to_owned(), &of).retriable);
}
