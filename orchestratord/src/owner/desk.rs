//! Where calls of the store are carried out: by who takes the turn, or beside if a commit is large.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use store::OwnerStore;

use super::flight::{StoreAnswer, StoreCall};
use super::mailbox::Mailbox;

/// The store, and the thread that has it while a large commit is made.
///
/// To hand a commit over and back takes two changes of threads, which cost more than it saves to step the next batch
/// meanwhile, unless the commit is large (decision 0006).
pub(super) struct StoreDesk<S> {
    /// `None` while it is with the other thread.
    store: Option<S>,
    /// What came back with it.
    answer: Option<StoreAnswer>,
    /// Mutations from which a commit is made beside.
    beside_least: usize,
    /// How long the last commit took that was made here.
    took: Option<Duration>,
    orders: Sender<(S, StoreCall)>,
    done: Receiver<(S, StoreAnswer)>,
    /// `None` once its panic was passed on.
    thread: Option<JoinHandle<()>>,
}

/// The way back to the owner. What it drops first is dropped first, so that whoever is woken by the bell finds the store,
/// or that it never comes.
struct WayBack<S> {
    finished: Sender<(S, StoreAnswer)>,
    bell: Bell,
}

/// Wakes the owner, at the latest when it is dropped.
struct Bell(Arc<Mailbox>);

impl Bell {
    fn ring(&self) {
        self.0.store_is_back();
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.ring();
    }
}

impl<S: OwnerStore> WayBack<S> {
    /// Carries out what is ordered until nobody orders any more.
    fn work(self, ordered: &Receiver<(S, StoreCall)>) {
        while let Ok((mut store, call)) = ordered.recv() {
            let answer = carry_out(&mut store, call);
            if self.finished.send((store, answer)).is_err() {
                return;
            }
            self.bell.ring();
        }
    }
}

impl<S: OwnerStore + 'static> StoreDesk<S> {
    /// Starts the other thread. It rings at the mailbox whenever it has answered.
    pub(super) fn new(store: S, beside_least: usize, mailbox: Arc<Mailbox>) -> io::Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let (finished, done) = mpsc::channel();
        let way_back = WayBack {
            finished,
            bell: Bell(mailbox),
        };
        let thread = thread::Builder::new()
            .name("owner-commit".to_owned())
            .spawn(move || way_back.work(&ordered))?;
        Ok(Self {
            store: Some(store),
            answer: None,
            beside_least,
            took: None,
            orders,
            done,
            thread: Some(thread),
        })
    }

    /// How long the last commit took, of those that were not made beside.
    pub(super) fn took(&self) -> Option<Duration> {
        self.took
    }

    /// True while the store is with the other thread.
    pub(super) fn is_beside(&self) -> bool {
        self.store.is_none()
    }

    /// Carries a call out. Its answer, unless it is carried out beside and comes with [`Self::fetch`].
    pub(super) fn carry_out(&mut self, call: StoreCall) -> Option<StoreAnswer> {
        self.wait();
        let mutations = match &call {
            StoreCall::Commit(commit) => Some(commit.mutations.len()),
            StoreCall::Load | StoreCall::Probe(_) => None,
        };
        if mutations.is_none_or(|mutations| mutations < self.beside_least) {
            let began = Instant::now();
            let answer = carry_out(self.store.as_mut()?, call);
            if mutations.is_some() {
                self.took = Some(began.elapsed());
            }
            return Some(answer);
        }
        let order = (self.store.take()?, call);
        if self.orders.send(order).is_err() {
            self.pass_panic_on();
        }
        None
    }

    /// The answer that has come back, if one has.
    pub(super) fn fetch(&mut self) -> Option<StoreAnswer> {
        if self.store.is_none() {
            match self.done.try_recv() {
                Ok((store, answer)) => self.take_back(store, answer),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.pass_panic_on(),
            }
        }
        self.answer.take()
    }

    /// Waits until the store is here.
    pub(super) fn wait(&mut self) {
        if self.store.is_none() {
            match self.done.recv() {
                Ok((store, answer)) => self.take_back(store, answer),
                Err(_) => self.pass_panic_on(),
            }
        }
    }

    /// Gives the store back; whatever was under way is over then.
    pub(super) fn close(mut self) -> S {
        loop {
            self.wait();
            if let Some(store) = self.store.take() {
                return store;
            }
        }
    }

    fn take_back(&mut self, store: S, answer: StoreAnswer) {
        self.store = Some(store);
        self.answer = Some(answer);
    }

    /// The other thread is gone, and the store with it: that is the owner's end too.
    fn pass_panic_on(&mut self) -> ! {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => resume_unwind(panic),
            _ => panic!("the thread that commits is gone, and the store with it"),
        }
    }
}

fn carry_out(store: &mut impl OwnerStore, call: StoreCall) -> StoreAnswer {
    match call {
        StoreCall::Commit(commit) => StoreAnswer::Committed(store.commit(&commit)),
        StoreCall::Load => StoreAnswer::Loaded(store.load().map(Box::new)),
        StoreCall::Probe(epoch) => StoreAnswer::Probed(store.probe(epoch)),
    }
}
