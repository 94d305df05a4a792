//! What a store must do for an owner and for readers.
//!
//! A store keeps what the machine decided, and holds no rule of its own. It has two faces:
//!
//! - [`OwnerStore`] belongs to the one owner of a shard, on the owner's own thread. Each commit first
//!   moves the fence row of the owner's epoch; a stale owner cannot commit.
//! - [`ReadStore`] serves record reads to anyone, at any time, from what is durable.

mod error;
mod owner;
mod payload;
mod read;

pub use error::{CommitError, OpenError, ReadError};
pub use owner::{Commit, Event, Loaded, OwnerStore, Probe};
pub use payload::{Payload, TaskBody, TaskText};
pub use read::{ReadFuture, ReadStore, TaskPage, TaskQuery, TaskRow};
