//! The host agent's library: supervision of engine processes.
//!
//! [`Supervisor::start`] keeps one engine process running: it starts it, proves it by a real decode, watches
//! its health, and starts it again after a failure, with a growing pause and inside a budget. What happens is
//! told as [`SupervisorEvent`]s. What to do next is decided by [`Lifecycle`], which knows no process and no
//! clock; `driver` does it. [`locate_engine`] finds the embedded engine's binary.
//!
//! [`Attached`] watches engines that someone else runs.
//!
//! A process may serve several models and have one in memory at a time. Then several replicas live in it, one for each
//! model ([`ReplicaSpec`]): they are proven one after another, so that no proof takes the model from another's work,
//! and are told of one by one.
//!
//! The engine's protocol is the adapter's business; tasks and pools are unknown here.

mod attached;
mod digest;
mod driver;
mod event;
mod lifecycle;
mod locate;
mod output;
mod process;
mod readiness;
mod spec;
mod supervisor;

pub use attached::{Attached, AttachedHandle, Suspicion};
pub use event::{News, SupervisorEvent};
pub use lifecycle::{DownReason, Input, Lifecycle, Notice, Output, Phase};
pub use locate::{ENGINE_BIN_ENV, ENGINE_NAME, LocateError, locate_engine};
pub use spec::{AdapterFactory, Backoff, EngineSpec, Policy, ReplicaSpec, RestartBudget, Watch};
pub use supervisor::{Supervisor, SupervisorHandle};
