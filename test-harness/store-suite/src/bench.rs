//! A store under test, and hands to work it.

use std::collections::HashMap;
use std::future::Future;

use orchestrator_core::id::{Epoch, PayloadRef};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::time::WallMs;
use store::{
    Commit, CommitError, Event, FeedStore, Loaded, OwnerStore, Payload, ReadStore, TaskBody,
    TaskText,
};

/// One store, for one test.
pub trait Bench: Sized {
    /// Its owner's face.
    type Owner: OwnerStore;
    /// Its readers' face.
    type Reader: ReadStore + FeedStore + Clone + 'static;

    /// A new, empty store.
    fn new() -> Self;

    /// Its owner.
    fn owner(&mut self) -> &mut Self::Owner;

    /// A reader of it.
    fn reader(&self) -> Self::Reader;

    /// The same store, closed and opened again.
    #[must_use]
    fn reopened(self) -> Self;
}

/// An owner at work: it knows its term and counts its commits.
pub struct Desk<B: Bench> {
    /// The store.
    pub bench: B,
    /// The term that the last load or probe began.
    pub epoch: Epoch,
    /// Number of the last commit.
    pub commit_seq: u64,
    payloads: HashMap<PayloadRef, Payload>,
}

impl<B: Bench> Desk<B> {
    /// A desk at a new store, loaded.
    #[must_use]
    pub fn new() -> Self {
        Self::at(B::new())
    }

    /// A desk at that store, loaded.
    #[must_use]
    pub fn at(bench: B) -> Self {
        let mut desk = Self {
            bench,
            epoch: Epoch(0),
            commit_seq: 0,
            payloads: HashMap::new(),
        };
        desk.load();
        desk
    }

    /// Closes the store, opens it again and loads.
    #[must_use]
    pub fn reopened(self) -> Self {
        Self::at(self.bench.reopened())
    }

    /// Begins a term and loads.
    pub fn load(&mut self) -> Loaded {
        let loaded = self.bench.owner().load().expect("the store can be loaded");
        self.epoch = loaded.epoch;
        self.commit_seq = loaded.commit_seq;
        loaded
    }

    /// Takes a body into the next commit.
    pub fn body(&mut self, prompt: &str) -> PayloadRef {
        self.payload(Payload::Body(TaskBody {
            prompt: prompt.to_owned(),
            metadata: Vec::new(),
        }))
    }

    /// Takes a text of these tokens into the next commit.
    pub fn text<'a>(&mut self, tokens: impl IntoIterator<Item = &'a str>) -> PayloadRef {
        self.payload(Payload::Text(text(tokens)))
    }

    /// Takes a payload into the next commit.
    pub fn payload(&mut self, payload: Payload) -> PayloadRef {
        let payload_ref = PayloadRef(self.payloads.len() as u64);
        self.payloads.insert(payload_ref, payload);
        payload_ref
    }

    /// Commits, or fails the test.
    #[track_caller]
    pub fn commit(&mut self, mutations: Vec<Mutation>) {
        self.try_commit(mutations).expect("the commit is in order");
    }

    /// Commits with the payloads taken since the last try.
    pub fn try_commit(&mut self, mutations: Vec<Mutation>) -> Result<(), CommitError> {
        self.try_commit_with(mutations, Vec::new())
    }

    /// Commits with events.
    pub fn try_commit_with(
        &mut self,
        mutations: Vec<Mutation>,
        events: Vec<Event>,
    ) -> Result<(), CommitError> {
        let commit = Commit {
            epoch: self.epoch,
            commit_seq: self.commit_seq + 1,
            at: WallMs(1_000 + self.commit_seq),
            mutations,
            payloads: std::mem::take(&mut self.payloads),
            events,
        };
        self.bench.owner().commit(&commit)?;
        self.commit_seq += 1;
        Ok(())
    }

    /// What a reader finds, at once.
    pub fn read<T>(&self, ask: impl AsyncFnOnce(&B::Reader) -> Result<T, store::ReadError>) -> T {
        let reader = self.bench.reader();
        block_on(ask(&reader)).expect("the store can be read")
    }
}

impl<B: Bench> Default for Desk<B> {
    fn default() -> Self {
        Self::new()
    }
}

/// A text of these tokens.
pub(crate) fn text<'a>(tokens: impl IntoIterator<Item = &'a str>) -> TaskText {
    let mut text = TaskText::default();
    tokens.into_iter().for_each(|token| text.push(token));
    text
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers needs nothing")
        .block_on(future)
}
