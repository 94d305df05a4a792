//! The deterministic machine that decides: what is admitted, what waits, where a task runs, when an
//! attempt is given up.
//!
//! This crate knows no clock, no randomness, no file, no socket, no async runtime, no wire format and
//! no store. Time and chance are arguments; what it wants done comes out as data. It never holds the
//! text of a prompt or of a reply: a digest, a size and a token estimate are enough to decide.
//!
//! Start at [`machine::Machine`] for how it is driven, and at [`input`] (everything that can wake it),
//! [`mutation`] (everything it can remember), [`effect`] (everything it can do) and [`reply`] (everything it
//! can answer).

pub mod attempt;
pub mod bulk;
pub mod effect;
pub mod entropy;
pub mod eta;
pub mod id;
pub mod idempotency;
pub mod input;
pub mod key;
pub mod machine;
pub mod mutation;
pub mod obstacle;
pub mod placement;
pub mod queue;
pub mod quota;
pub mod refusal;
pub mod reply;
pub mod session;
pub mod task;
pub mod time;
mod timer;
