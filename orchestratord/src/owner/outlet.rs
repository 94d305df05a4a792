//! Where what the owner lets out goes.

use orchestrator_core::effect::Effect;
use orchestrator_core::id::Epoch;
use orchestrator_core::queue::ClassName;
use store::Commit;

/// Takes what is durable, on the owner's thread or that of who asks: it must not block, not even on a runtime.
///
/// For each batch: first [`Outlet::committed`] if it changed anything, then its effects in order, and only
/// then are its replies given.
pub trait Outlet: Send {
    /// The machine wants something done.
    fn effect(&mut self, effect: Effect);

    /// A batch is durable.
    fn committed(&mut self, commit: &Commit);

    /// Something happened to the owner itself.
    fn notice(&mut self, notice: Notice);

    /// What to do, on the owner's thread, when somebody who asks has taken a turn of the owner and does not come back
    /// soon: whatever else that thread would do has to be done by another one.
    fn relief(&self) -> Box<dyn Fn() + Send + Sync> {
        Box::new(|| ())
    }
}

/// What happens to the owner, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Tasks were recovered whose classes are configured no more.
    ClassesRetired {
        /// Which those are.
        classes: Vec<ClassName>,
        /// How many tasks.
        tasks: usize,
    },
    /// Keys in force have a highest class that is configured no more, so that they may use the least urgent one only.
    ClassesRetiredOfKeys {
        /// Which those are, by name.
        classes: Vec<ClassName>,
        /// How many keys.
        keys: usize,
    },
    /// A commit was not applied and will be tried again.
    CommitDelayed {
        /// Number of the commit.
        commit_seq: u64,
        /// Tries so far.
        tries: u32,
        /// What the store said.
        detail: String,
    },
    /// The outcome of a commit was unknown, and has been found out.
    CommitResolved {
        /// Number of the commit.
        commit_seq: u64,
        /// Whether it had been applied.
        applied: bool,
        /// The term that began by it.
        epoch: Epoch,
    },
    /// The outcome of a commit is unknown, and will be found out.
    CommitUnknown {
        /// Number of the commit.
        commit_seq: u64,
        /// What the store said.
        detail: String,
    },
    /// What has ended could not be looked up. Commands that needed it were turned away; ends that are in
    /// doubt are looked up again.
    PrefetchFailed {
        /// What the store said.
        detail: String,
    },
    /// Another recovery failed.
    RecoveryFailed {
        /// What the store said.
        detail: String,
    },
    /// A term has begun.
    Recovered {
        /// Which.
        epoch: Epoch,
        /// Tasks that have not ended.
        live_tasks: usize,
    },
    /// The owner has stepped down and will recover.
    SteppedDown {
        /// Why.
        detail: String,
        /// True if owner and store disagree, which is a bug and a reason to look.
        alarm: bool,
    },
}
