//! The deterministic machine that decides: what is admitted, what waits, where a task runs, when an
//! attempt is given up.
//!
//! This crate knows no clock, no randomness, no file, no socket, no async runtime, no wire format and
//! no store. Time and chance are arguments; what it wants done comes out as data. It never holds the
//! text of a prompt or of a reply: a digest, a size and a token estimate are enough to decide.
//!
//! Start at [`input`] (everything that can wake the machine), [`mutation`] (everything it can
//! remember), [`effect`] (everything it can do) and [`reply`] (everything it can answer).

pub mod effect;
pub mod entropy;
pub mod id;
pub mod input;
pub mod mutation;
pub mod placement;
pub mod refusal;
pub mod reply;
pub mod session;
pub mod task;
pub mod time;
