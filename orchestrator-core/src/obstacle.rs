//! What stands in the way of a task, as one word from one list: the same in replies, in the command line and in metrics.

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
    /// Every pool that could serve it gave up.
    Pool,
    /// Others go first.
    Queue,
    /// The queue of its class is full.
    QueueFull,
    /// The replica set that may continue its text is not there.
    ReplicaSet,
    /// The session has had what it was given.
    Session,
    /// Every slot that could take it is taken.
    Slots,
}

impl Obstacle {
    /// All of them, sorted.
    pub const ALL: [Self; 13] = [
        Self::Backoff,
        Self::Cancel,
        Self::Context,
        Self::Deadline,
        Self::NotReady,
        Self::Offer,
        Self::Operator,
        Self::Pool,
        Self::Queue,
        Self::QueueFull,
        Self::ReplicaSet,
        Self::Session,
        Self::Slots,
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
            Self::Pool => "pool",
            Self::Queue => "queue",
            Self::QueueFull => "queue_full",
            Self::ReplicaSet => "replica_set",
            Self::Session => "session",
            Self::Slots => "slots",
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
            Self::DeadlineUnmet { .. } => Some(Obstacle::Deadline),
            Self::ModelUnknown { .. } => Some(Obstacle::Offer),
            Self::PoolUnavailable { .. } => Some(Obstacle::Pool),
            Self::QueueFull { .. } => Some(Obstacle::QueueFull),
            Self::SessionExhausted { .. } => Some(Obstacle::Session),
            Self::BudgetSessionless
            | Self::KeyEnded { .. }
            | Self::KeyExpiryPast { .. }
            | Self::KeyLast { .. }
            | Self::KeyTaken { .. }
            | Self::KeyUnknown { .. }
            | Self::SessionUnknown { .. }
            | Self::TaskEnded { .. }
            | Self::TaskIdConflict { .. }
            | Self::TaskUnknown { .. } => None,
        }
    }
}
