//! A store in one SQLite file, for one daemon on one host.
//!
//! [`SqliteStore`] is the owner's: one writing connection on the owner's thread, write-ahead log,
//! `synchronous=FULL`, static statements. [`SqliteReader`] serves reads from a few read-only connections.
//! The directory belongs to one process at a time; the operating system's lock on `orchestrator.lock`
//! says which ([`HolderNote`] lets it say where it listens).
//!
//! The tables are in `migrations/`, folded in `schema.sql`; each statement of a commit is in `sql.rs`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bulk;
mod codec;
mod commit;
mod error;
mod file;
mod idempotency;
mod key;
mod load;
mod lock;
mod migrate;
mod owner;
mod place;
#[cfg(test)]
mod plan;
mod quota;
mod reader;
mod record;
mod session;
mod sql;

pub use lock::HolderNote;
pub use owner::SqliteStore;
pub use reader::SqliteReader;
