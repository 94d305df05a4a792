//! What stands in the way of a task, as one word from one list: the same in replies, in the command line and in metrics.

use crate::quota::QuotaRefusal;
use crate::refusal::Refusal;

/// What stands in the way of a task that was refused, or that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obstacle {
    /// The pause before another attempt.
    Backoff,
    /// A cancel waits for the attempt to end.
    Cancel,
    /// No context that could serve it is large enough.
    Context,
    /// Its deadline cannot be met.
    Deadline,
    /// No replica that could serve it is ready.
    NotReady,
    /// Nothing that is configured offers what it asks for.
    Offer,
    /// A person has to take it back into the queue.
    Operator,
    /// Someone holds the queue.
    Paused,
    /// Every pool that could serve it gave up.
    Pool,
    /// Others go first.
    Queue,
    /// The queue of its class is full, or too many wait for their time.
    QueueFull,
    /// Its tenant or key has what it may have.
    Quota,
    /// The replica set that may continue its text is not there.
    ReplicaSet,
    /// The session has had what it was given.
    Session,
    /// Every slot that could take it is taken.
    Slots,
    /// The time that it was accepted for.
    Time,
}

impl Obstacle {
    /// All of them, sorted.
    pub const ALL: [Self; 16] = [
        Self::Backoff,
        Self::Cancel,
        Self::Context,
        Self::Deadline,
        Self::NotReady,
        Self::Offer,
        Self::Operator,
        Self::Paused,
        Self::Pool,
        Self::Queue,
        Self::QueueFull,
        Self::Quota,
        Self::ReplicaSet,
        Self::Session,
        Self::Slots,
        Self::Time,
    ];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backoff => "backoff",
            Self::Cancel => "cancel",
            Self::Context => "context",
            Self::Deadline => "deadline",
            Self::NotReady => "not_ready",
            Self::Offer => "offer",
            Self::Operator => "operator",
            Self::Paused => "paused",
            Self::Pool => "pool",
            Self::Queue => "queue",
            Self::QueueFull => "queue_full",
            Self::Quota => "quota",
            Self::ReplicaSet => "replica_set",
            Self::Session => "session",
            Self::Slots => "slots",
            Self::Time => "time",
        }
    }
}

impl Refusal {
    /// What stood in the way of a task; `None` for a refusal of something else.
    #[must_use]
    pub const fn obstacle(&self) -> Option<Obstacle> {
        match self {
            Self::BudgetSpent { .. } => Some(Obstacle::Session),
            Self::ContextExceeded { .. } => Some(Obstacle::Context),
            Self::DeadlineBeforeStart { .. } | Self::DeadlineUnmet { .. } => {
                Some(Obstacle::Deadline)
            }
            Self::ModelUnknown { .. } => Some(Obstacle::Offer),
            Self::PoolUnavailable { .. } => Some(Obstacle::Pool),
            Self::QueueFull { .. } | Self::ScheduleFull { .. } => Some(Obstacle::QueueFull),
            Self::Quota(QuotaRefusal::Exceeded { .. } | QuotaRefusal::Unmeetable { .. }) => {
                Some(Obstacle::Quota)
            }
            Self::SessionExhausted { .. } => Some(Obstacle::Session),
            Self::BudgetSessionless
            | Self::BulksFull { .. }
            | Self::ClassUnknown { .. }
            | Self::IdempotencyMismatch { .. }
            | Self::KeyEnded { .. }
            | Self::KeyExpiryPast { .. }
            | Self::KeyLast { .. }
            | Self::KeyTaken { .. }
            | Self::KeyUnknown { .. }
            | Self::PoolUnknown { .. }
            | Self::Quota(QuotaRefusal::Conflict { .. } | QuotaRefusal::Unenforceable { .. })
            | Self::SessionUnknown { .. }
            | Self::SessionsUnused { .. }
            | Self::TaskEnded { .. }
            | Self::TaskIdConflict { .. }
            | Self::TaskUnknown { .. } => None,
        }
    }
}
