//! What is remembered of a key.

use crate::id::TaskId;
use crate::time::WallMs;

/// An idempotency key with its scope: 128 bits of a hash of tenant and text. Two keys are taken for one if these
/// are equal, which does not happen by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(pub u128);

/// One key and the task that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Place in the order of binding: one more than the newest that is kept, so that rows are written at the end.
    pub number: u64,
    /// The key.
    pub key: IdempotencyKey,
    /// The task.
    pub task: TaskId,
    /// When it was bound.
    pub at: WallMs,
}
