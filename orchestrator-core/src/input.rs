//! Everything that can wake the machine.

use std::sync::Arc;

use crate::bulk::BulkBegin;
use crate::id::{
    AttemptId, Digest, KeyId, PayloadRef, PoolName, PrincipalId, ProjectId, ReplicaName,
    ReplyToken, SessionKey, TaskId, TenantId,
};
use crate::idempotency::IdempotencyKey;
use crate::key::{KeyCreate, KeyRotate};
use crate::placement::ReplicaFacts;
use crate::queue::QueueSwitch;
use crate::quota::QuotaPut;
use crate::session::{SessionBudget, SessionPut};
use crate::task::{FinishReason, TaskFault, TaskRecord, TaskSpec};

/// One reason to step.
#[derive(Clone, Debug)]
pub enum Input {
    /// Someone asked.
    Command(Command),
    /// The world happened.
    Report(Report),
    /// Time passed; see `Machine::next_wake`. Too many ticks do no harm.
    Tick,
}

/// Someone asked, and waits for exactly one reply at `reply`.
#[derive(Clone, Debug)]
pub struct Command {
    /// Where the answer goes.
    pub reply: ReplyToken,
    /// What is asked.
    pub ask: Ask,
}

/// What someone asks. Where the machine holds no live record of the task named, the owner has looked in
/// the store before the step, and `cold` is what it found. Under a fresh id there is nothing to find.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Cancel many tasks, or take many back into the queue.
    BulkBegin(Box<BulkBegin>),
    /// Make a key.
    KeyCreate(Box<KeyCreate>),
    /// End a key.
    KeyRevoke {
        /// Which.
        key: KeyId,
    },
    /// Put a new key in the place of another.
    KeyRotate(Box<KeyRotate>),
    /// Hold a queue: it accepts, and dispatches nothing.
    QueuePause(QueueSwitch),
    /// Let a queue go on.
    QueueResume(QueueSwitch),
    /// Put a quota.
    QuotaPut(Box<QuotaPut>),
    /// Forget a session.
    SessionDelete {
        /// Which.
        session: SessionKey,
    },
    /// Make or change a session.
    SessionPut(Box<SessionPut>),
    /// End a task early.
    TaskCancel {
        /// Which.
        task: TaskId,
        /// Its record, if it has ended.
        cold: Option<Arc<TaskRecord>>,
    },
    /// Accept a task.
    TaskCreate {
        /// What, and for whom.
        create: Box<TaskCreate>,
        /// The record that the answer depends on, see `Machine::answered_by`, if it has ended.
        cold: Option<Arc<TaskRecord>>,
    },
    /// Take a parked task back into the queue.
    TaskRequeue {
        /// Which.
        task: TaskId,
        /// Its record, if it has ended.
        cold: Option<Arc<TaskRecord>>,
    },
}

/// A task to accept.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskCreate {
    /// The caller's id, or one made for it.
    pub id: TaskId,
    /// True if the id was made for this very request, so that no other task can have it.
    pub fresh: bool,
    /// Whose it is.
    pub tenant: TenantId,
    /// The project it goes to.
    pub project: ProjectId,
    /// Who asks.
    pub created_by: PrincipalId,
    /// SHA-256 of the canonical body before defaults.
    pub fingerprint: Digest,
    /// The key under which a repeat of the request is known again, if the caller gave one.
    pub key: Option<IdempotencyKey>,
    /// What is asked for, after defaults.
    pub spec: TaskSpec,
    /// What its session may use from now on; as before if none.
    pub budget: Option<SessionBudget>,
    /// The prompt's text and whatever else of the body only the store needs.
    pub body: PayloadRef,
}

/// The world happened. A report about an attempt that is not the newest of its task changes nothing.
#[derive(Clone, Debug)]
pub enum Report {
    /// Tokens `from..to` of the text, to be kept. Positions already durable never come again.
    AttemptChunk {
        /// Whose.
        attempt: AttemptId,
        /// Position of the first token.
        from: u64,
        /// Position after the last one.
        to: u64,
        /// The text with its frame boundaries.
        chunk: PayloadRef,
    },
    /// It is over.
    AttemptEnded {
        /// Which.
        attempt: AttemptId,
        /// How.
        end: AttemptEnd,
    },
    /// It is alive: its lease is renewed. Soft, never committed.
    AttemptRenewed {
        /// Which.
        attempt: AttemptId,
    },
    /// Its first token is there.
    AttemptRunning {
        /// Which.
        attempt: AttemptId,
    },
    /// A pool used up its restarts.
    PoolUnavailable {
        /// Which.
        pool: PoolName,
        /// What happened last.
        detail: String,
    },
    /// Readers of a task's stream came or went; of one that nobody has read, nothing is told. Soft.
    ReadersChanged {
        /// Whose.
        task: TaskId,
        /// How many there are now.
        readers: u32,
    },
    /// A replica stopped taking work; attempts on it are over unless they report otherwise first.
    ReplicaDown {
        /// Which.
        replica: ReplicaName,
        /// What happened.
        detail: String,
    },
    /// A replica takes work.
    ReplicaReady {
        /// What it says of itself.
        facts: Box<ReplicaFacts>,
    },
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptEnd {
    /// It broke.
    Failed {
        /// Why.
        fault: TaskFault,
        /// What happened, for a person.
        detail: String,
    },
    /// It reached an end: the engine's own, or the freeze that a cancel demanded.
    Finished {
        /// Why the text ends.
        finish: FinishReason,
        /// Tokens of the input.
        tokens_in: u64,
        /// Tokens of the text, equal to the final position.
        tokens_out: u64,
        /// Milliseconds from the first to the last token.
        decode_ms: u64,
        /// Milliseconds from acceptance to the first token, if there was one.
        first_token_ms: Option<u64>,
        /// The whole text with its frame boundaries; it takes the place of the chunks.
        text: PayloadRef,
    },
}
