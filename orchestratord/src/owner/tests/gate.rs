//! An owner on its threads whose commits wait at a gate or tell where they are made, and an outlet that tells what it
//! saw.

use std::future::Future;
use std::sync::mpsc;
use std::thread;

use orchestrator_core::effect::Effect;
use orchestrator_core::id::Epoch;
use orchestrator_core::input::Ask;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::TaskState;
use store::{ColdStore, Commit, CommitError, Loaded, OwnerStore, Probe, ReadError};
use store_memory::MemoryStore;

use super::things::config;
use crate::owner::{
    Dice, Notice, Outlet, Owner, OwnerHandle, OwnerLimits, OwnerUnavailable, SystemClock, spawn,
};

/// What an outlet saw.
#[derive(Debug)]
pub(super) enum Seen {
    Commit(Vec<Mutation>),
    Effect(Effect),
    Notice(Notice),
}

pub(super) struct Spy(pub(super) mpsc::Sender<Seen>);

impl Outlet for Spy {
    fn effect(&mut self, effect: Effect) {
        let _ = self.0.send(Seen::Effect(effect));
    }

    fn committed(&mut self, commit: &Commit) {
        let _ = self.0.send(Seen::Commit(commit.mutations.clone()));
    }

    fn notice(&mut self, notice: Notice) {
        let _ = self.0.send(Seen::Notice(notice));
    }
}

/// A store whose commits wait for a go.
pub(super) struct Gate {
    pub(super) inner: MemoryStore,
    /// Says that a commit has come to the gate.
    pub(super) arrived: mpsc::Sender<u64>,
    pub(super) go: mpsc::Receiver<()>,
}

impl OwnerStore for Gate {
    fn load(&mut self) -> Result<Loaded, ReadError> {
        self.inner.load()
    }

    fn cold(&self) -> Result<Box<dyn ColdStore>, ReadError> {
        self.inner.cold()
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        self.arrived.send(commit.commit_seq).unwrap();
        self.go
            .recv()
            .expect("a test opens the gate, or has failed");
        self.inner.commit(commit)
    }

    fn probe(&mut self, epoch: Epoch) -> Result<Probe, CommitError> {
        self.inner.probe(epoch)
    }
}

/// A store that tells on which thread its commits are made.
pub(super) struct Whereabouts<S>(pub(super) S, pub(super) mpsc::Sender<String>);

impl<S: OwnerStore> OwnerStore for Whereabouts<S> {
    fn load(&mut self) -> Result<Loaded, ReadError> {
        self.0.load()
    }

    fn cold(&self) -> Result<Box<dyn ColdStore>, ReadError> {
        self.0.cold()
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        let thread = thread::current();
        self.1.send(thread.name().unwrap().to_owned()).unwrap();
        self.0.commit(commit)
    }

    fn probe(&mut self, epoch: Epoch) -> Result<Probe, CommitError> {
        self.0.probe(epoch)
    }
}

pub(super) fn start<S: OwnerStore + 'static>(
    store: S,
    limits: OwnerLimits,
) -> (Owner<S>, mpsc::Receiver<Seen>) {
    let (spy, seen) = mpsc::channel();
    let clock = SystemClock::default();
    let owner = spawn(store, config(), limits, clock, Dice::from_os(), Spy(spy)).unwrap();
    (owner, seen)
}

/// A store at whose commits one can wait, and which one lets pass.
pub(super) fn gate() -> (Gate, mpsc::Receiver<u64>, mpsc::Sender<()>) {
    let (arrived, arrivals) = mpsc::channel();
    let (open, go) = mpsc::channel();
    let inner = MemoryStore::new();
    let store = Gate { inner, arrived, go };
    (store, arrivals, open)
}

pub(super) fn gated(limits: OwnerLimits) -> (Owner<Gate>, mpsc::Receiver<u64>, mpsc::Sender<()>) {
    let (store, arrivals, open) = gate();
    (start(store, limits).0, arrivals, open)
}

/// Every commit is made beside the owner's thread.
pub(super) fn beside() -> OwnerLimits {
    OwnerLimits {
        commit_beside_mutations: 1,
        ..OwnerLimits::default()
    }
}

/// Commits made by the owner's own thread, and all of them beside it.
pub(super) fn both_ways() -> [OwnerLimits; 2] {
    [OwnerLimits::default(), beside()]
}

/// Whoever comes alone takes a turn itself, but for the first, before which no commit has shown how long it takes.
pub(super) fn stood_in_for() -> OwnerLimits {
    OwnerLimits {
        stand_in_commit_us: u64::MAX,
        stand_in_watch_ms: 60_000,
        ..OwnerLimits::default()
    }
}

/// Waits until the owner's thread sleeps.
pub(super) fn settle(handle: &OwnerHandle) {
    while !handle.mailbox().is_asleep() {
        thread::yield_now();
    }
}

pub(super) type Command = dyn Future<Output = Result<Reply, OwnerUnavailable>>;

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

pub(super) fn ask(handle: &OwnerHandle, ask: Ask) -> Result<Reply, OwnerUnavailable> {
    wait(handle.command(ask, None))
}

#[track_caller]
pub(super) fn state(reply: Result<Reply, OwnerUnavailable>) -> TaskState {
    match reply {
        Ok(Reply::TaskCreated { record, .. } | Reply::TaskCancelled(record)) => record.state,
        other => panic!("{other:?}"),
    }
}
