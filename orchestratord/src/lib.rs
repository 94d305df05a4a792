//! The control plane daemon: the shell around the machine.
//!
//! It reads the world (HTTP, engines, clocks, the store), hands the machine what happened, and carries out
//! what the machine decided. It holds no rule: whatever is an `if` about the domain stands in
//! `orchestrator-core`.
//!
//! - [`http`]: the generated traits, implemented; [`app`]: one function an operation.
//! - [`keys`]: who is let in, and the first key.
//! - [`owner`]: drives the machine over the store.
//! - [`settings`]: flags, environment, file.
//! - [`stream`]: what readers of a task see.
//! - [`run`]: attempts and the replicas they run on.
//! - [`telemetry`]: log lines and metrics. [`exit`]: how the program ends.
//!
//! What decides inside the shell is a plain state with time as an argument and a driver around it, so that it
//! can be driven without threads, tasks, clocks and sockets: [`owner::OwnerState`],
//! [`run::roster::Roster`], [`run::attempt::AttemptState`], [`stream::Opener`], [`stream::ReaderState`]. None of
//! them draws chance, and none goes through anything in an order that differs from run to run.

pub mod app;
pub mod exit;
pub mod http;
pub mod keys;
pub mod names;
pub mod owner;
pub mod run;
pub mod serve;
pub mod settings;
pub mod stream;
pub mod telemetry;
