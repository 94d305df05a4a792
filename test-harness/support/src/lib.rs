//! Starts real daemons and engines, ends them in every way that a machine can, and looks at their processes.
//!
//! [`Daemon`] is for tests, which may panic: each method that can fail has a twin that says so
//! ([`Daemon::try_start`]), for programs that a person runs. [`real_parts`] finds engines and clients that
//! others made, or has the test skipped.

mod binary;
mod daemon;
mod engine_server;
mod limits;
mod options;
mod process;
pub mod real_parts;
mod say;
mod start;

pub use binary::{MissingProgram, binary, find_program};
pub use daemon::{Daemon, Ended};
pub use engine_server::{EngineServer, haiku_tiny, random_model};
pub use limits::{Ration, descriptors_of, ration};
pub use options::DaemonOptions;
pub use process::{Memory, Signal, children_of, cpu_of, memory_of, signal};
pub use say::{say, whisper};
pub use start::StartError;
