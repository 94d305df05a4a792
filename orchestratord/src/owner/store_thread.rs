//! The store, on a thread of its own, and within reach of the owner's for a call that nobody else waits behind.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use store::OwnerStore;

use super::flight::{StoreAnswer, StoreCall};
use super::mailbox::Mailbox;

/// The thread, and the owner's end of it.
pub(super) struct StoreThread<S> {
    pub(super) calls: Calls<S>,
    pub(super) thread: JoinHandle<Shared<S>>,
}

/// The store. Whoever makes the one call that is under way holds it.
pub(super) type Shared<S> = Arc<Mutex<S>>;

/// Starts the thread; answers go to the mailbox. It ends when the calls are dropped.
pub(super) fn start<S: OwnerStore + 'static>(
    store: S,
    answers: Arc<Mailbox>,
) -> io::Result<StoreThread<S>> {
    let desk = Arc::new(Desk::default());
    let store = Arc::new(Mutex::new(store));
    let calls = Calls {
        desk: Arc::clone(&desk),
        store: Arc::clone(&store),
    };
    let thread = thread::Builder::new()
        .name("owner-store".to_owned())
        .spawn(move || {
            let ends = Ends(answers);
            while let Some(call) = desk.next() {
                ends.0.store_answers(carry_out(&store, call));
            }
            store
        })?;
    Ok(StoreThread { calls, thread })
}

/// How the owner makes its one call.
pub(super) struct Calls<S> {
    desk: Arc<Desk>,
    store: Shared<S>,
}

impl<S: OwnerStore> Calls<S> {
    /// Has the call made on the store's thread. Nothing may be called before it has answered.
    pub(super) fn call(&self, call: StoreCall) {
        let mut place = self.desk.place();
        debug_assert!(place.call.is_none(), "one call at a time");
        place.call = Some(call);
        drop(place);
        self.desk.there.notify_one();
    }

    /// Makes the call on this thread, which takes as long as the store takes. None may be under way.
    pub(super) fn call_here(&self, call: StoreCall) -> StoreAnswer {
        carry_out(&self.store, call)
    }
}

impl<S> Drop for Calls<S> {
    fn drop(&mut self) {
        self.desk.place().over = true;
        self.desk.there.notify_one();
    }
}

#[derive(Default)]
struct Desk {
    place: Mutex<Place>,
    there: Condvar,
}

#[derive(Default)]
struct Place {
    call: Option<StoreCall>,
    over: bool,
}

impl Desk {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call; none if there will be none.
    fn next(&self) -> Option<StoreCall> {
        let mut place = self.place();
        loop {
            if let Some(call) = place.call.take() {
                return Some(call);
            }
            if place.over {
                return None;
            }
            place = self
                .there
                .wait(place)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that the thread ends, however it does.
struct Ends(Arc<Mailbox>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store_ends();
    }
}

fn carry_out<S: OwnerStore>(store: &Mutex<S>, call: StoreCall) -> StoreAnswer {
    // A store that panicked is not asked again: its thread has ended, and the owner's with it.
    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
    match call {
        StoreCall::Commit(commit) => StoreAnswer::Committed(store.commit(&commit)),
        StoreCall::Load => StoreAnswer::Loaded(store.load().map(Box::new)),
        StoreCall::Probe(epoch) => StoreAnswer::Probed(store.probe(epoch)),
    }
}
