//! What checkers are shown.

use orchestrator_core::effect::Effect;
use orchestrator_core::id::{AttemptId, Epoch, TaskId};
use orchestrator_core::machine::{HardState, Machine};
use orchestrator_core::reply::Reply;
use orchestrator_core::time::{Now, WallMs};
use orchestratord::owner::{Notice, OwnerUnavailable};
use orchestratord::run::attempt::AttemptReport;
use store::{Commit, Loaded, TaskRow};

use crate::agenda::Micros;
use crate::world::{Asked, SimStore};

/// One thing that can only be seen from inside.
pub enum Sight<'a> {
    /// The owner answers a command.
    Answer {
        /// Which daemon.
        daemon: usize,
        /// What was asked.
        asked: Asked,
        /// What it says.
        reply: &'a Result<Reply, OwnerUnavailable>,
    },
    /// A commit is durable.
    Applied {
        /// When.
        at: Micros,
        /// Whose.
        daemon: usize,
        /// What.
        commit: &'a Commit,
        /// What a load would find from here on.
        durable: &'a Loaded,
    },
    /// All of a batch of tasks is answered.
    Batch {
        /// Which daemon.
        daemon: usize,
        /// The tasks that it has brought in, in their order.
        accepted: &'a [TaskId],
    },
    /// A process is about to do something.
    Clock {
        /// What its wall clock shows, whatever the machine is told.
        wall: WallMs,
    },
    /// The owner lets an effect out.
    Effect {
        /// Which daemon.
        daemon: usize,
        /// Which process of it.
        life: u64,
        /// What.
        effect: &'a Effect,
    },
    /// The run is over.
    End {
        /// Every task.
        rows: &'a [TaskRow],
        /// What a load would find.
        loaded: &'a Loaded,
        /// The store.
        store: &'a SimStore,
    },
    /// A process is gone.
    Gone {
        /// Which daemon.
        daemon: usize,
        /// Which process of it.
        life: u64,
    },
    /// The owner lets it be known that a commit is durable.
    Known {
        /// Which daemon.
        daemon: usize,
        /// Which process of it.
        life: u64,
        /// What.
        commit: &'a Commit,
    },
    /// A process has done what it could do at a moment.
    Machine {
        /// Which daemon.
        daemon: usize,
        /// Which process of it.
        life: u64,
        /// By its clocks.
        now: Now,
        /// Its machine.
        machine: &'a Machine,
        /// True if there was nothing left to do.
        quiet: bool,
    },
    /// Tokens are metered.
    Metered {
        /// Which daemon.
        daemon: usize,
        /// Of which task.
        task: TaskId,
        /// How many.
        tokens: u64,
    },
    /// Something happened to an owner.
    Notice {
        /// Which daemon.
        daemon: usize,
        /// What.
        notice: &'a Notice,
    },
    /// An attempt tells its end.
    Reported {
        /// Which daemon.
        daemon: usize,
        /// Which attempt.
        attempt: AttemptId,
        /// What it tells.
        report: &'a AttemptReport,
    },
    /// An attempt is followed from here on.
    Runs {
        /// Which daemon.
        daemon: usize,
        /// Which attempt.
        attempt: AttemptId,
    },
    /// A batch is on its way to the store.
    Sealed {
        /// Which daemon.
        daemon: usize,
        /// Which process of it.
        life: u64,
        /// Number of the commit.
        commit: u64,
        /// What will be durable with it.
        hard: &'a HardState,
    },
    /// An attempt has put a token into a stream, from which readers take it.
    Shown {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// An owner takes over what the store holds.
    Term {
        /// Which daemon.
        daemon: usize,
        /// Which process of it.
        life: u64,
        /// By its clocks.
        now: Now,
        /// What it found.
        loaded: &'a Loaded,
    },
    /// The store has let a term begin.
    TermAllowed {
        /// Which.
        epoch: Epoch,
    },
}
