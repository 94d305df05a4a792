//! What must be exercised, and what is excused, with the reason.

use std::collections::BTreeSet;

use orchestrator_core::task::{Move, TaskEvent, TaskState, WaitingFor, next};

use super::TASK_FAULTS;
use crate::plan::Fault;

/// What cannot be exercised here, and why.
pub const EXCUSED: &[(&str, &str)] = &[(
    "owner: stepped down with alarm",
    "it says that owner and store disagree, which is what no seed may show",
)];

const STATES: [TaskState; 10] = [
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

const FIXED: &[&str] = &[
    "answer: STORE_UNAVAILABLE",
    "answer: refused for good",
    "answer: store unreadable",
    "attempt end: Failed(DecodeTimeout)",
    "attempt end: Failed(Interrupted)",
    "attempt end: Failed(StreamDiverged)",
    "attempt end: Failed(WorkerReset)",
    "attempt end: Finished(Cancelled)",
    "attempt end: Finished(Length)",
    "attempt end: Finished(Stop)",
    "batch: a part refused",
    "batch: accepted whole",
    "batch: one task twice",
    "batch: turned away",
    "effect: AttemptCancel",
    "effect: AttemptStart",
    "effect: AttemptStart, with another model",
    "effect: TaskEnded",
    "effect: TaskStarted",
    "frame: diverged",
    "frame: end",
    "frame: error",
    "frame: metrics",
    "frame: started",
    "frame: token",
    "mutation: AttemptInsert",
    "mutation: AttemptUpdate",
    "mutation: BulkForget",
    "mutation: BulkPut",
    "mutation: ChunkAppend",
    "mutation: IdempotencyBind",
    "mutation: IdempotencyForget",
    "mutation: KeyPut",
    "mutation: PausePut",
    "mutation: QuotaLevelsPut",
    "mutation: QuotaPut",
    "mutation: SessionDelete",
    "mutation: SessionPut",
    "mutation: SessionPut, of one that was put",
    "mutation: TaskInsert",
    "mutation: TaskUpdate",
    "mutation: TextPut",
    "owner unavailable: busy",
    "owner unavailable: not applied",
    "owner unavailable: unknown",
    "owner: classes retired",
    "owner: commit delayed",
    "owner: doubt resolved, applied",
    "owner: doubt resolved, not applied",
    "owner: look-up failed",
    "owner: outcome unknown",
    "owner: recovered",
    "owner: recovery failed",
    "owner: stepped down",
    "owner: stepped down with alarm",
    "refusal: ADMISSION_REJECT",
    "refusal: CONTEXT_EXCEEDED",
    "refusal: DEADLINE_UNMET",
    "refusal: IDEMPOTENCY_MISMATCH",
    "refusal: INVALID_PARAMS",
    "refusal: KEY_CONFLICT",
    "refusal: MODEL_UNKNOWN",
    "refusal: NOT_FOUND",
    "refusal: POOL_UNAVAILABLE",
    "refusal: QUOTA_CONFLICT",
    "refusal: QUOTA_EXCEEDED",
    "refusal: QUOTA_UNENFORCEABLE",
    "refusal: QUOTA_UNMEETABLE",
    "refusal: SESSION_EXHAUSTED",
    "refusal: TASK_ENDED",
    "refusal: TASK_ID_CONFLICT",
    "report: AttemptChunk",
    "report: AttemptEnded, failed",
    "report: AttemptEnded, finished",
    "report: AttemptRenewed",
    "report: AttemptRunning",
    "report: PoolUnavailable",
    "report: ReadersChanged",
    "report: ReplicaDown",
    "report: ReplicaReady",
];

/// Everything that must be exercised: every fault of the world, every move in the table of a task's states,
/// every fault that a task can have, and the machine's and the owner's vocabularies.
#[must_use]
pub fn expected() -> Vec<String> {
    let mut all: BTreeSet<String> = FIXED.iter().map(|what| (*what).to_owned()).collect();
    all.extend(Fault::KINDS.iter().map(|kind| format!("fault: {kind}")));
    all.extend(
        TASK_FAULTS
            .iter()
            .map(|fault| format!("task fault: {fault:?}")),
    );
    for from in STATES {
        for event in TaskEvent::ALL {
            if let Move::To(to) = next(from, event) {
                all.insert(format!("move: {} -> {}", from.name(), to.name()));
            }
        }
    }
    all.into_iter().collect()
}
