//! Phases, inputs and outputs of a supervised process.
//!
//! ```text
//!          Start               Proved
//!   New ─────────▶ Starting ───────────▶ Ready
//!                  ▲  │  │ not in time     │ │ misses
//!             Wake │  │  │ Unproved        │ │
//!                  │  │  └───────▶ Killing ◀─┘
//!                  │  │ Exited       │ Exited │ Exited
//!                  │  ▼              ▼        ▼
//!               Pausing ◀──── budget left? ──────▶ GaveUp
//!
//!   Stop: Starting, Ready, Killing ─▶ Stopping ─Exited─▶ Stopped;  New, Pausing ─▶ Stopped
//! ```

/// Where a supervised process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not started yet.
    New,
    /// Started, not proved yet.
    Starting,
    /// Proved; takes work.
    Ready,
    /// To be killed, then started again.
    Killing,
    /// No process; the pause before a restart.
    Pausing,
    /// To end for good.
    Stopping,
    /// Ended on request.
    Stopped,
    /// Ended, and the budget is spent.
    GaveUp,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// It shall run.
    Start,
    /// The process was started.
    Spawned,
    /// The process could not be started.
    SpawnFailed,
    /// It is healthy and has decoded.
    Proved,
    /// It speaks, and cannot be used.
    Unproved,
    /// A health check was answered well.
    HealthGood,
    /// A health check failed.
    HealthMissed,
    /// The process has ended.
    Exited,
    /// The time of `next_wake` has come.
    Wake,
    /// It shall run no more.
    Stop,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the process and, if that worked, begin to prove it.
    Spawn,
    /// End its standard input.
    CloseStdin,
    /// Kill it.
    Kill,
    /// Ask for its health.
    CheckHealth,
    /// Tell whoever listens.
    Tell(Notice),
}

/// What to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The process runs.
    Starting,
    /// It takes work.
    Ready,
    /// It takes no work any more.
    Down(DownReason),
    /// It stays down.
    GaveUp,
}

/// Why it takes no work any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// The process could not be started.
    CannotStart,
    /// It was not ready in time.
    NotReadyInTime,
    /// It speaks, and cannot be used.
    Unproved,
    /// It missed too many health checks.
    Unhealthy,
    /// It ended by itself.
    Exited,
}
