//! The HTTP surface: the generated traits, implemented.
//!
//! A handler takes the typed parts of a request, converts them, calls the app function of its own name, and
//! converts the answer. It holds no rule and no SQL. Status codes of errors are decided in `problem`; wire
//! types and the machine's words meet only in `convert`.

mod bulks;
mod callers;
mod capabilities;
mod context;
mod convert;
mod correlate;
mod fresh;
mod full;
mod host;
mod keys;
mod pools;
mod problem;
mod queue;
mod quotas;
mod refusals;
mod replicasets;
mod router;
mod sessions;
mod system;
mod tasks;
mod until;

pub use context::Peer;
pub use correlate::Correlated;
pub use full::full_router;
pub use host::Host;
pub use router::router;
