//! What a store must do for an owner and for readers.
//!
//! A store keeps what the machine decided, and holds no rule of its own. It has three faces:
//!
//! - [`OwnerStore`] belongs to the one owner of a shard, on the owner's own thread. Each commit first
//!   moves the fence row of the owner's epoch; a stale owner cannot commit.
//! - [`ReadStore`] serves record reads to anyone, at any time, from what is durable.
//! - [`FeedStore`] tells what happened, commit by commit.
//!
//! [`Named`] gives the names under which closed sets are stored, the same as on the wire.

mod error;
mod event;
mod named;
mod owner;
mod payload;
mod read;

pub use error::{CommitError, OpenError, ReadError};
pub use event::{Event, EventsError};
pub use named::{Named, state_name};
pub use owner::{ColdStore, Commit, Loaded, OwnerStore, Probe};
pub use payload::{Payload, TaskBody, TaskText};
pub use read::{CommitRow, FeedStore, ReadFuture, ReadStore, TaskPage, TaskQuery, TaskRow};
